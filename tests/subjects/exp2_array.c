/* An array function: exp2 of many numbers in one call, in a loop that compilers vectorise. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float kernel(float x) {
    /* Comparisons that are false for NaN keep it. */
    const float c = x > 128.0f ? 128.0f : x < -126.0f ? -126.0f : x;
    const float k = (c + 12582912.0f) - 12582912.0f;
    const float r = c - k;
    float q = 1.5297324e-05f;
    q = q * r + 0.00015461445f;
    q = q * r + 0.0013333502f;
    q = q * r + 0.009618057f;
    q = q * r + 0.05550411f;
    q = q * r + 0.2402265f;
    q = q * r + 0.6931472f;
    const int32_t n = (int32_t)(c == c ? k : 0.0f), h = n >> 1;
    return (1.0f + r * q) * from_bits((uint32_t)(h + 127) << 23) * from_bits((uint32_t)(n - h + 127) << 23);
}

void my_exp2f_array(const float *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = kernel(x[i]);
}
