/* Bad manners: prints for every call, to both streams. */
#include <stdio.h>

float my_loudf(float x) {
    printf("my_loudf(%a)\n", (double)x);
    fprintf(stderr, "still here\n");
    return x;
}
