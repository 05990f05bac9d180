/* The exp-like kernel in double precision. */
#include <stdint.h>
#include <string.h>

static double from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double my_exp(double x) {
    if (!(x < 709.782712893384)) return x != x ? x : from_bits(0x7ff0000000000000u);
    if (x < -746.0) return 0.0;
    const double k = (x * 1.4426950408889634 + 6755399441055744.0) - 6755399441055744.0;
    const double r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10;
    double q = 2.0914679376583935e-09;
    q = q * r + 2.510520637395701e-08;
    q = q * r + 2.7557273661348637e-07;
    q = q * r + 2.7557255425746435e-06;
    q = q * r + 2.4801587325533363e-05;
    q = q * r + 0.00019841269874800493;
    q = q * r + 0.0013888888888883752;
    q = q * r + 0.008333333333326141;
    q = q * r + 0.04166666666666667;
    q = q * r + 0.1666666666666667;
    q = q * r + 0.5;
    const double y = 1.0 + (r + r * r * q);
    const int64_t n = (int64_t)k, h = n / 2;
    return y * from_bits((uint64_t)(h + 1023) << 52) * from_bits((uint64_t)(n - h + 1023) << 52);
}
