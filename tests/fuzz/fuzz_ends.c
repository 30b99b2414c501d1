/* fuzz_ends.c: libFuzzer target for a parser of rules that end where a text begins. In: records, as twice.h has them. */
#include "ends.h"
#include "twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    twice(&qcap_ends_protocol, bytes, len);
    return 0;
}
