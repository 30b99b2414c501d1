/* fuzz_values.c: libFuzzer target for a parser of numbers and texts. In: records, as twice.h has them. */
#include "twice.h"
#include "values.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    twice(&qcap_values_protocol, bytes, len);
    return 0;
}
