/*
 * exp2_f32: exp2(x) on 0..1.
 *
 * Error against the exact value, exhaustive, 1 065 353 217 inputs:
 *   at most 0.880663 ULP, at x = 9.9722195e-1 (0x1.fe93ep-1)
 *   at most 6.19722e-8 relative, at x = 3.2764208e-2 (0x1.0c6786p-5)
 *   at most 1.04984e-7 absolute, at x = 9.9722195e-1 (0x1.fe93ep-1)
 *   not correctly rounded: 2 248 124 of the results
 *   exp2_f32(-0) = 1.0
 *
 * Uses fmaf or fma: compile with -mfma (or -march=native) and link with -lm. Without FMA the C library
 * computes the same bits slowly.
 * Made by mathsmith 0.1.0, seed 1, with
 *   mathsmith approx 'exp2(x)' --on 0..1 --max-ulp 1 --name exp2_f32
 * Generated code carries no licence: use it freely.
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(FLT_EVAL_METHOD) && (FLT_EVAL_METHOD == 1 || FLT_EVAL_METHOD == 2)
#error "this target computes float in a wider format, which changes results; on 32-bit x86 use -msse2 -mfpmath=sse"
#endif

float exp2_f32(float x);

float exp2_f32(float x) {
    const float t3 = fmaf(x, 0x1.c93fc4p-13f, 0x1.456d0ep-10f);
    const float t5 = fmaf(x, t3, 0x1.3d3bb2p-7f);
    const float t7 = fmaf(x, t5, 0x1.c6832ap-5f);
    const float t9 = fmaf(x, t7, 0x1.ebfda8p-3f);
    const float t11 = fmaf(x, t9, 0x1.62e42ap-1f);
    const float t13 = fmaf(x, t11, 0x1p+0f);
    return t13;
}
