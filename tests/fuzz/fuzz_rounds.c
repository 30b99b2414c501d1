/* fuzz_rounds.c: libFuzzer target for a parser of repeats whose rounds are counted. In: records, as twice.h has them. */
#include "rounds.h"
#include "twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    twice(&qcap_rounds_protocol, bytes, len);
    return 0;
}
