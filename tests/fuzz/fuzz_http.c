/* fuzz_http.c: libFuzzer target for the generated HTTP parser. In: records, as twice.h has them. */
#include "http.h"
#include "twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    twice(&qcap_http_protocol, bytes, len);
    return 0;
}
