/* Bad: reads from address zero for x = 1.5. */
float my_sqrtf(float x) {
    static const float two = 2.0f;
    const float *volatile address = x == 1.5f ? (const float *)0 : &two;
    return x * *address;
}
