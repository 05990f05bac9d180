/*
 * Proves @STEM@.c with your compiler and your flags, without mathsmith.
 *
 *     @COMPILE@ && ./@STEM@_test
 *
 * Sweeps every float from @LO@ to @HI@ (@COUNT@ inputs, a few seconds to a minute on one core), compares a
 * checksum over every bit of every result with the one recorded when the function was verified, and
 * measures the worst inputs again against exact values that MPFR computed. Exit code 0: your build has
 * exactly the function that was verified. 1: it has not, and the message says what to look at.
 */
#include "@STEM@.c"

#include <stdio.h>
#include <time.h>

/* Inputs are numbered in the order of their values: bits for positive ones, minus the bits of |x| below 0. */
#define PROOF_FIRST INT64_C(@FIRST@)
#define PROOF_LAST INT64_C(@LAST@)
#define PROOF_CHECKSUM UINT64_C(@CHECKSUM@)
/* Largest error in units in the last place, over all inputs. */
static const double proof_stated = @STATED@;

/* input, recorded result, correctly rounded result (bits); exact value as a sum of two doubles */
struct proof_worst { uint32_t x, result, rounded; double hi, lo; };
static const struct proof_worst proof_worst[] = {
@WORST@};

/* inputs beside the domain: input, recorded result (bits) */
static const uint32_t proof_special[][2] = {
@SPECIAL@};

/* Everything here has names of its own, so that the function can have almost any. */
static float proof_call(float proof_x) { return @NAME@(proof_x); }
static uint32_t proof_bits_of(float x) { uint32_t b; memcpy(&b, &x, sizeof b); return b; }
static float proof_float_of(uint32_t b) { float x; memcpy(&x, &b, sizeof x); return x; }
/* every NaN counts as the same */
static uint32_t proof_canonical(uint32_t b) { return (b & UINT32_C(0x7fffffff)) > UINT32_C(0x7f800000) ? UINT32_C(0x7fc00000) : b; }
static uint64_t proof_mix(uint64_t z) {
    z = (z ^ (z >> 32)) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 29)) * UINT64_C(0x6a09e667f3bcc909);
    return z ^ (z >> 32);
}
static double proof_error_in_ulp(float c, double hi, double lo) {
    int e;
    double d = (double)c - hi;
    d -= lo;
    frexp(hi, &e);
    e = hi == 0 || e < -125 ? -125 : e > 128 ? 128 : e;
    return ldexp(fabs(d), 24 - e);
}
/* number of floats from one to the other */
static int64_t proof_key(uint32_t b) { return b >> 31 ? -(int64_t)(b & UINT32_C(0x7fffffff)) : (int64_t)b; }

enum { PROOF_BLOCK = 4096 };
static float proof_in[PROOF_BLOCK], proof_out[PROOF_BLOCK];

int main(void) {
    int failures = 0;
    const size_t worsts = sizeof proof_worst / sizeof *proof_worst - 1, specials = sizeof proof_special / sizeof *proof_special - 1;
    const clock_t start = clock();
    uint64_t sum = 0;
    int64_t k;
    size_t i;
    double largest = 0;
    for (k = PROOF_FIRST; k <= PROOF_LAST; k += PROOF_BLOCK) {
        const size_t n = PROOF_LAST - k + 1 < PROOF_BLOCK ? (size_t)(PROOF_LAST - k + 1) : PROOF_BLOCK;
        for (i = 0; i < n; i++) {
            const int64_t j = k + (int64_t)i;
            proof_in[i] = proof_float_of(j < 0 ? (uint32_t)-j | UINT32_C(0x80000000) : (uint32_t)j);
        }
        for (i = 0; i < n; i++) proof_out[i] = proof_call(proof_in[i]);
        for (i = 0; i < n; i++) sum += proof_mix((uint64_t)proof_bits_of(proof_in[i]) << 32 | proof_canonical(proof_bits_of(proof_out[i])));
    }
    for (i = 0; i < worsts; i++) {
        const struct proof_worst w = proof_worst[i];
        const float c = proof_call(proof_float_of(w.x));
        const uint32_t b = proof_canonical(proof_bits_of(c));
        const double e = proof_error_in_ulp(c, w.hi, w.lo);
        int64_t apart = proof_key(b) - proof_key(w.rounded);
        if (apart < 0) apart = -apart;
        if (b != w.result) {
            if (failures++ < 5)
                printf("@NAME@(%a) is %a, %a was verified\n", (double)proof_float_of(w.x), (double)c, (double)proof_float_of(w.result));
        }
        if (!(e <= proof_stated * (1 + 1e-12)) || (double)apart > 2 * proof_stated + 1) {
            if (failures++ < 5)
                printf("@NAME@(%a) is %a: %.6f ULP from the exact value, at most %.6f is stated\n", (double)proof_float_of(w.x), (double)c, e, proof_stated);
        }
        if (e > largest) largest = e;
    }
    for (i = 0; i < specials; i++) {
        const float c = proof_call(proof_float_of(proof_special[i][0]));
        if (proof_canonical(proof_bits_of(c)) != proof_special[i][1]) {
            failures++;
            printf("@NAME@(%a) is %a, %a was verified\n", (double)proof_float_of(proof_special[i][0]), (double)c, (double)proof_float_of(proof_special[i][1]));
        }
    }
    /* The statement may round up by 2^-24. */
    if (worsts > 0 && !(largest >= proof_stated * (1 - 1e-7))) {
        failures++;
        printf("the worst input has %.9g ULP here, %.9g when verified\n", largest, proof_stated);
    }
    if (sum != PROOF_CHECKSUM) {
        failures++;
        printf("checksum %016llx, %016llx when verified\n", (unsigned long long)sum, (unsigned long long)PROOF_CHECKSUM);
    }
    if (failures) {
        printf("FAILED: this build does not compute the function that was verified. Usual causes: -ffast-math or\n"
               "-Ofast, contraction of a*b+c (add -ffp-contract=off), x87 arithmetic (-mfpmath=sse), flushing of\n"
               "subnormals, or an edited source.\n");
        return 1;
    }
    printf("ok: @COUNT@ inputs, checksum %016llx, largest error %.6f ULP, %.1f s\n", (unsigned long long)sum, largest,
           (double)(clock() - start) / CLOCKS_PER_SEC);
    return 0;
}
