/* status.c: names and texts of the numbers in qcap.h. The lists there are the only place where they stand. */
#include "qcap.h"

const char *qcap_status_name(int status)
{
    switch (status) {
#define X(name, number, text)                                                                                          \
    case number:                                                                                                       \
        return #name;
        QCAP_STATUS_MAP(X)
#undef X
    default:
        return "?";
    }
}

const char *qcap_status_text(int status)
{
    switch (status) {
#define X(name, number, text)                                                                                          \
    case number:                                                                                                       \
        return text;
        QCAP_STATUS_MAP(X)
#undef X
    default:
        return "?";
    }
}

const char *qcap_known_text(qcap_known_t known)
{
    switch (known) {
#define X(name, text)                                                                                                  \
    case QCAP_KNOWN_##name:                                                                                            \
        return text;
        QCAP_KNOWN_MAP(X)
#undef X
    default:
        return "?";
    }
}

const char *qcap_stage_text(qcap_stage_t stage)
{
    switch (stage) {
#define X(name, number, text)                                                                                          \
    case QCAP_STAGE_##name:                                                                                            \
        return text;
        QCAP_STAGE_MAP(X)
#undef X
    default:
        return "?";
    }
}

bool qcap_stage_is_end(qcap_stage_t stage)
{
    switch (stage) {
#define X(name, meaning) case QCAP_STAGE_##name:
        QCAP_STAGE_END_MAP(X)
#undef X
        return true;
    default:
        return false;
    }
}

const char *qcap_tcp_state_text(qcap_tcp_state_t state)
{
    switch (state) {
#define X(name, text)                                                                                                  \
    case QCAP_TCP_##name:                                                                                              \
        return text;
        QCAP_TCP_STATE_MAP(X)
#undef X
    default:
        return "?";
    }
}

const char *qcap_end_text(qcap_end_t end)
{
    switch (end) {
#define X(name, text)                                                                                                  \
    case QCAP_END_##name:                                                                                              \
        return text;
        QCAP_END_MAP(X)
#undef X
    default:
        return "?";
    }
}
