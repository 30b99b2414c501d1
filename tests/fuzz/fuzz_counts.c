/* fuzz_counts.c: libFuzzer target for a parser of repeats with a bound. In: records, as twice.h has them. */
#include "counts.h"
#include "twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    twice(&qcap_counts_protocol, bytes, len);
    return 0;
}
