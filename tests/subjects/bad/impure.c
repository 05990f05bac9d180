/* Bad: not a function of its argument; a counter enters the result. */
float my_countf(float x) {
    static unsigned calls;
    calls++;
    return x + (float)(calls & 1u);
}
