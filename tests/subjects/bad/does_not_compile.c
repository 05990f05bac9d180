/* Bad: does not compile; the name in the last line is not declared. */
float my_expf(float x) {
    return x + undeclared_constant;
}
