/* fuzz_parcels.c: libFuzzer target for a parser with sub-streams and decoders. In: records, as twice.h has them. */
#include "parcels.h"
#include "twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    twice(&qcap_parcels_protocol, bytes, len);
    return 0;
}
