/* fuzz_sampler.c: libFuzzer target for a parser that has all features of the spec language. In: records, as twice.h
 * has them. */
#include "sampler.h"
#include "twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    twice(&qcap_sampler_protocol, bytes, len);
    return 0;
}
