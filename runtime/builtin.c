/* builtin.c: the protocols that the library is built with.
 *
 * Which these are is said once, in the Makefile; it makes builtin.h of that: their headers, and QCAP_BUILTIN_MAP, the list of
 * their names, as C has them and as files. They join as any other protocol does. */
#include "builtin.h"
#include "qcap.h"

int qcap_protocols_builtin(qcap_t *q)
{
    static const qcap_protocol_t *const protocols[] = {
#define X(name, file) &qcap_##name##_protocol,
        QCAP_BUILTIN_MAP(X)
#undef X
    };
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        int status = qcap_protocol_add(q, protocols[i]);
        if (status < 0)
            return status;
    }
    return QCAP_OK;
}
