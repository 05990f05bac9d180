/*
 * exp2_f32: exp2(x) on 0..1.
 *
 * Error against the exact value, exhaustive, 1 065 353 217 inputs:
 *   at most 1.65025 ULP, at x = 9.3180674e-1 (0x1.dd15c6p-1)
 *   at most 1.03684e-7 relative, at x = 7.190318e-1 (0x1.7024fp-1)
 *   at most 1.96725e-7 absolute, at x = 9.3180674e-1 (0x1.dd15c6p-1)
 *   not correctly rounded: 11 595 965 of the results
 *   exp2_f32(-0) = 1.0
 *
 * No fused multiply-add, and none may be made: the pragmas below switch contraction off for clang and
 * gcc. gcc inlines the function into loops (and vectorises them) only if the build says
 * -ffp-contract=off as well. With another compiler switch contraction off yourself. -ffast-math breaks
 * the bound.
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

/* A product and a sum must not be fused. clang obeys the pragma in the function, gcc this one. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize ("fp-contract=off")
#endif

float exp2_f32(float x);

float exp2_f32(float x) {
#if defined(__clang__) || !defined(__GNUC__)
#pragma STDC FP_CONTRACT OFF
#endif
    const float t1 = x * x;
    const float t3 = t1 * (-0x1.d7aa2p-12f);
    const float t5 = t3 + 0x1.d9104ap-5f;
    const float t6 = x * t5;
    const float t8 = t6 + (-0x1.fffd98p-2f);
    const float t9 = x * t8;
    const float t11 = t9 + 0x1.71545ep+0f;
    const float t12 = x / t11;
    const float t14 = t12 + 0x1p+0f;
    return t14;
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif
