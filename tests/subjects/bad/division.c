/* Bad: divides an integer by zero for x from 2 to 3, 3 excluded. */
float my_recipf(float x) {
    const volatile int divisor = x >= 2.0f && x < 3.0f ? 0 : 7;
    return (float)(700 / divisor) * x;
}
