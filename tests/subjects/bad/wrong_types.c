/* Bad: functions of types that cannot be measured. */
int my_int(int x) { return x; }

float my_lerpf(float a, float b, float t) { return a + t * (b - a); }

float my_narrow(double x) { return (float)x; }
