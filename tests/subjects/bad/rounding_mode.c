/* Bad: leaves the rounding mode changed, to upwards, for x = 1.5. */
#include <fenv.h>

float my_upf(float x) {
    if (x == 1.5f) fesetround(FE_UPWARD);
    return x + x;
}
