/* A ratio of polynomials: tanh by Lambert's continued fraction, cut off where it reaches one. */
float my_tanhf(float x) {
    if (x > 4.9f) return 1.0f;
    if (x < -4.9f) return -1.0f;
    const float u = x * x;
    const float p = ((u + 378.0f) * u + 17325.0f) * u + 135135.0f;
    const float q = ((28.0f * u + 3150.0f) * u + 62370.0f) * u + 135135.0f;
    return x * p / q;
}
