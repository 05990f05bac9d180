/* Bad: calls itself without end for x = 1.5 and overflows the stack. */
static float deeper(float x, volatile float *frame) {
    volatile float own[64];
    own[0] = x + *frame;
    return x == 1.5f ? deeper(x, own) + own[0] : own[0];
}

float my_sumf(float x) {
    volatile float start = 0.0f;
    return deeper(x, &start);
}
