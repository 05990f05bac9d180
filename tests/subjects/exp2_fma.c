/* Fused operations written out: exp2 whose bits do not depend on whether the target has them. */
#include <math.h>
#include <stdint.h>
#include <string.h>

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

float my_exp2f(float x) {
    if (!(x < 128.0f)) return x != x ? x : from_bits(0x7f800000u);
    if (x < -150.0f) return 0.0f;
    const float k = (x + 12582912.0f) - 12582912.0f;
    const float r = x - k;
    float q = 1.5297324e-05f;
    q = fmaf(q, r, 0.00015461445f);
    q = fmaf(q, r, 0.0013333502f);
    q = fmaf(q, r, 0.009618057f);
    q = fmaf(q, r, 0.05550411f);
    q = fmaf(q, r, 0.2402265f);
    q = fmaf(q, r, 0.6931472f);
    const float y = fmaf(r, q, 1.0f);
    const int32_t n = (int32_t)k, h = n / 2;
    return y * from_bits((uint32_t)(h + 127) << 23) * from_bits((uint32_t)(n - h + 127) << 23);
}
