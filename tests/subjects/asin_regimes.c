/* Two regimes and a branch: asin by a polynomial near zero, by a square root of the rest near one. */
#include <math.h>

static float near_zero(float x) {
    const float u = x * x;
    float q = 0.033690847f;
    q = q * u + 0.017149238f;
    q = q * u + 0.031100662f;
    q = q * u + 0.044599403f;
    q = q * u + 0.07500094f;
    q = q * u + 0.16666666f;
    return x + x * u * q;
}

float my_asinf(float x) {
    const float a = fabsf(x);
    if (!(a <= 1.0f)) return NAN;
    if (a <= 0.5f) return near_zero(x);
    return copysignf(1.5707964f - 2.0f * near_zero(sqrtf((1.0f - a) * 0.5f)), x);
}
