/* A table with linear interpolation: log2 of the significand at 65 places, the exponent taken from the bits. */
#include <stdint.h>
#include <string.h>

static const float TABLE[65] = {
    0.0f, 0.022367813f, 0.04439412f, 0.06608919f, 0.08746284f, 0.10852446f, 0.12928301f, 0.14974712f,
    0.169925f, 0.18982457f, 0.20945336f, 0.22881868f, 0.24792752f, 0.26678655f, 0.2854022f, 0.30378073f,
    0.32192808f, 0.33985f, 0.357552f, 0.37503943f, 0.3923174f, 0.40939093f, 0.42626476f, 0.44294348f,
    0.45943162f, 0.47573343f, 0.4918531f, 0.5077946f, 0.52356195f, 0.5391588f, 0.55458885f, 0.56985563f,
    0.5849625f, 0.5999128f, 0.61470985f, 0.6293566f, 0.64385617f, 0.65821147f, 0.6724253f, 0.68650055f,
    0.7004397f, 0.7142455f, 0.7279205f, 0.741467f, 0.7548875f, 0.7681843f, 0.78135973f, 0.7944159f,
    0.8073549f, 0.820179f, 0.83289003f, 0.84549004f, 0.85798097f, 0.8703647f, 0.88264304f, 0.89481777f,
    0.9068906f, 0.91886324f, 0.9307373f, 0.9425145f, 0.95419633f, 0.9657843f, 0.9772799f, 0.9886847f,
    1.0f,
};

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

float my_log2f(float x) {
    if (x != x || x < 0.0f) return from_bits(0x7fc00000u);
    if (x == 0.0f) return -from_bits(0x7f800000u);
    uint32_t bits = to_bits(x);
    if (bits == 0x7f800000u) return x;
    int32_t shift = 0;
    if (bits < 0x00800000u) {
        bits = to_bits(x * 8388608.0f);
        shift = 23;
    }
    const int32_t e = (int32_t)(bits >> 23) - 127 - shift;
    const uint32_t i = (bits >> 17) & 63u;
    const float t = (float)(bits & 0x1ffffu) / 131072.0f;
    return (float)e + (TABLE[i] + t * (TABLE[i + 1] - TABLE[i]));
}
