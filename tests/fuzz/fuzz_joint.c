/* fuzz_joint.c: libFuzzer target for a parser of rules that several readings call. In: records, as twice.h has them. */
#include "joint.h"
#include "twice.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    twice(&qcap_joint_protocol, bytes, len);
    return 0;
}
