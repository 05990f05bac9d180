/* Bad: never returns for x = 1.5. */
float my_rootf(float x) {
    volatile float y = x;
    while (y == 1.5f) {
    }
    return y;
}
