/* fuzz_switches.c: libFuzzer target for a parser whose sides agree on other protocols. In: records, as twice.h has them. */
#include "switches.h"
#include "twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    twice(&qcap_switches_protocol, bytes, len);
    return 0;
}
