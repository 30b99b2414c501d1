/* fuzz_nested.c: libFuzzer target for a parser of rules that contain themselves. In: records, as twice.h has them. */
#include "nested.h"
#include "twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    twice(&qcap_nested_protocol, bytes, len);
    return 0;
}
