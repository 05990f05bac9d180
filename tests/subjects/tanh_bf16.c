/* A function of 16-bit floats as bits: tanh of bfloat16 by the ratio, rounded to nearest, ties to even. */
#include <stdint.h>
#include <string.h>

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t to_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float ratio(float x) {
    if (x > 4.9f) return 1.0f;
    if (x < -4.9f) return -1.0f;
    const float u = x * x;
    const float p = ((u + 378.0f) * u + 17325.0f) * u + 135135.0f;
    const float q = ((28.0f * u + 3150.0f) * u + 62370.0f) * u + 135135.0f;
    return x * p / q;
}

uint16_t my_tanh_bf16(uint16_t x) {
    const uint32_t bits = to_bits(ratio(from_bits((uint32_t)x << 16)));
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fc0u;
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}
