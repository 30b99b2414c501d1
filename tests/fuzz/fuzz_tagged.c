/* fuzz_tagged.c: libFuzzer target for a parser with queues by key. In: records, as twice.h has them. */
#include "tagged.h"
#include "twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    twice(&qcap_tagged_protocol, bytes, len);
    return 0;
}
