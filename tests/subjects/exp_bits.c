/* An exp-like kernel with bit tricks: reduction by rounding, a polynomial, powers of two made from bits. */
#include <stdint.h>
#include <string.h>

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

float my_expf(float x) {
    if (!(x < 88.72284f)) return x != x ? x : from_bits(0x7f800000u);
    if (x < -104.0f) return 0.0f;
    const float k = (x * 1.442695f + 12582912.0f) - 12582912.0f;
    const float r = (x - k * 0.69314575f) - k * 1.4286068e-06f;
    float q = 0.0013926176f;
    q = q * r + 0.008363173f;
    q = q * r + 0.041666556f;
    q = q * r + 0.16666578f;
    q = q * r + 0.5f;
    const float y = 1.0f + (r + r * r * q);
    /* Two factors, so that the result may be subnormal. */
    const int32_t n = (int32_t)k, h = n / 2;
    return y * from_bits((uint32_t)(h + 127) << 23) * from_bits((uint32_t)(n - h + 127) << 23);
}
