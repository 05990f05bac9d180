/* A function of two arguments: atan2 by a polynomial of the smaller over the larger, then quadrants. */
#include <math.h>

float my_atan2f(float y, float x) {
    if (x != x || y != y) return x + y;
    const float a = fabsf(y), b = fabsf(x);
    const float small = a < b ? a : b, large = a < b ? b : a;
    /* Zero over zero stands for zero, infinity over infinity for one. */
    const float t = small == large ? (large == 0.0f ? 0.0f : 1.0f) : small / large;
    const float u = t * t;
    float q = -0.0017011701f;
    q = q * u + 0.01048765f;
    q = q * u + -0.030351864f;
    q = q * u + 0.057089556f;
    q = q * u + -0.08349725f;
    q = q * u + 0.10932341f;
    q = q * u + -0.14260016f;
    q = q * u + 0.19998075f;
    q = q * u + -0.33333278f;
    q = q * u + 1.0f;
    float p = t * q;
    if (a > b) p = 1.5707964f - p;
    if (copysignf(1.0f, x) < 0.0f) p = 3.1415927f - p;
    return copysignf(p, y);
}
