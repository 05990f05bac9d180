/* Bad: ends the process with code 7 for x = 1.5. */
#include <stdlib.h>

float my_lastf(float x) {
    if (x == 1.5f) exit(7);
    return x;
}
