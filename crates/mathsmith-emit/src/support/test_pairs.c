/*
 * Holds @STEM@.c, built with your compiler and your flags, against what was verified, without mathsmith.
 *
 *     @COMPILE@ && ./@STEM@_test
 *
 * Calls the function on @COUNT@ pairs drawn with seed @SEED@ and compares a checksum over every bit of every result with
 * the one recorded, and measures the worst pairs that were found again, against exact values that MPFR computed. Exit code
 * 0: on these pairs your build is the function that was verified. 1: it is not, and the message says what to look at.
 * The error bound itself is sampled: nothing larger was found, which is no proof.
 */
#include "@STEM@.c"

#include <stdio.h>

/* Floats are numbered in the order of their values: bits for positive ones, minus the bits of |x| below 0. */
static const int64_t replay_first[2] = { INT64_C(@FIRST_X@), INT64_C(@FIRST_Y@) };
static const int64_t replay_last[2] = { INT64_C(@LAST_X@), INT64_C(@LAST_Y@) };
#define REPLAY_COUNT UINT64_C(@REPLAYS@)
#define REPLAY_CHECKSUM UINT64_C(@CHECKSUM@)
/* Largest error in units in the last place that was found. */
static const double replay_stated = @STATED@;

/* inputs, recorded result (bits); exact value as a sum of two doubles */
struct replay_worst { uint32_t x, y, result; double hi, lo; };
static const struct replay_worst replay_worst[] = {
@WORST@};

/* special pairs: inputs, recorded result (bits) */
static const uint32_t replay_special[][3] = {
@SPECIAL@};

/* Everything here has names of its own, so that the function can have almost any. */
static uint32_t replay_bits_of(float x) { uint32_t b; memcpy(&b, &x, sizeof b); return b; }
static float replay_float_of(uint32_t b) { float x; memcpy(&x, &b, sizeof x); return x; }
/* every NaN counts as the same */
static uint32_t replay_canonical(uint32_t b) { return (b & UINT32_C(0x7fffffff)) > UINT32_C(0x7f800000) ? UINT32_C(0x7fc00000) : b; }
static uint32_t replay_call(uint32_t x, uint32_t y) {
    return replay_canonical(replay_bits_of(@NAME@(replay_float_of(x), replay_float_of(y))));
}
static uint64_t replay_mix(uint64_t z) {
    z = (z ^ (z >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 29)) * UINT64_C(0x6a09e667f3bcc909);
    return z ^ (z >> 32);
}
/* argument a of the pair with number i */
static uint32_t replay_draw(uint64_t i, int a) {
    const uint64_t random = replay_mix(replay_mix(UINT64_C(@SEED@) + 1) + 2 * i + (uint64_t)a) >> 32;
    const uint64_t width = (uint64_t)(replay_last[a] - replay_first[a] + 1);
    const int64_t key = replay_first[a] + (int64_t)(random * width >> 32);
    return key < 0 ? (uint32_t)-key | UINT32_C(0x80000000) : (uint32_t)key;
}
static double replay_error_in_ulp(float c, double hi, double lo) {
    int e;
    double d = (double)c - hi;
    d -= lo;
    frexp(hi, &e);
    e = hi == 0 || e < -125 ? -125 : e > 128 ? 128 : e;
    return ldexp(fabs(d), 24 - e);
}

int main(void) {
    int failures = 0;
    const size_t worsts = sizeof replay_worst / sizeof *replay_worst - 1, specials = sizeof replay_special / sizeof *replay_special - 1;
    uint64_t sum = 0, i;
    size_t k;
    double largest = 0;
    for (i = 0; i < REPLAY_COUNT; i++) {
        const uint32_t x = replay_draw(i, 0), y = replay_draw(i, 1);
        sum += replay_mix(replay_mix((uint64_t)x << 32 | y) ^ replay_call(x, y));
    }
    for (k = 0; k < worsts; k++) {
        const struct replay_worst w = replay_worst[k];
        const uint32_t b = replay_call(w.x, w.y);
        const double e = replay_error_in_ulp(replay_float_of(b), w.hi, w.lo);
        if (b != w.result || !(e <= replay_stated * (1 + 1e-12))) {
            if (failures++ < 5)
                printf("@NAME@(%a, %a) is %a: %.6f ULP from the exact value; %a was verified\n", (double)replay_float_of(w.x),
                       (double)replay_float_of(w.y), (double)replay_float_of(b), e, (double)replay_float_of(w.result));
        }
        if (e > largest) largest = e;
    }
    for (k = 0; k < specials; k++) {
        const uint32_t b = replay_call(replay_special[k][0], replay_special[k][1]);
        if (b != replay_special[k][2]) {
            failures++;
            printf("@NAME@(%a, %a) is %a, %a was verified\n", (double)replay_float_of(replay_special[k][0]),
                   (double)replay_float_of(replay_special[k][1]), (double)replay_float_of(b), (double)replay_float_of(replay_special[k][2]));
        }
    }
    if (sum != REPLAY_CHECKSUM) {
        failures++;
        printf("checksum %016llx, %016llx when verified\n", (unsigned long long)sum, (unsigned long long)REPLAY_CHECKSUM);
    }
    if (failures) {
        printf("FAILED: this build does not compute the function that was verified. Usual causes: -ffast-math or\n"
               "-Ofast, contraction of a*b+c (add -ffp-contract=off), x87 arithmetic (-mfpmath=sse), flushing of\n"
               "subnormals, or an edited source.\n");
        return 1;
    }
    printf("ok: @COUNT@ pairs, checksum %016llx, largest error known %.6f ULP\n", (unsigned long long)sum, largest);
    return 0;
}
