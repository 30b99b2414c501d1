/* expect.c: conversations that others have announced: where, by which protocol, and for how long.
 *
 * In come events of parsers that say "at this host and port another conversation begins, of that protocol". Out goes, for
 * a conversation that opens, the link to the one that announced it, if there is such.
 *
 * note [which one]: the port must be that of one end. The host at that end, the listener, is the one that was named,
 * and the other host takes part in the announcing conversation; or the two hosts are those of that conversation, since
 * names are not looked up, and behind a translation of addresses the named one may be that of the inside. More is not
 * believed: whoever names a foreign host must not change how other people's conversations with it are read.
 * Of several, the latest one is meant.
 *
 * An expectation is not used up by the first conversation that fits: connections are refused, and tried again. It
 * leaves QCAP_TIMEOUT_EXPECTED after it was announced. PER_ANNOUNCER and MOST bound how many there are. */
#include "expect.h"

#include <arpa/inet.h>
#include <string.h>

#include "flow.h"
#include "handle.h"
#include "upper.h"

#define PER_ANNOUNCER 32u
#define MOST 4096u
#define ADDRESS_MAX 46u /* characters of an address, with the NUL */

struct qcapint_expected {
    qcapint_expected_t *older, *newer;             /* of all */
    qcapint_expected_t *announced_before, *announced_after; /* of its announcer */
    qcapint_expected_t *chain;                     /* in its bucket: an older one */
    qcapint_announcer_t *announcer;                /* NULL: gone */
    const char *transport, *name;                  /* static: the protocol's tables */
    qcapint_announcement_t found;                  /* its conv is referenced */
    qcap_endpoint_t listener;                      /* version 0: not known */
    int64_t announced_ns;
};

static qcapint_expect_t *all_of(const qcap_t *q)
{
    return &((qcapint_upper_t *)q->upper)->expect;
}

/* ---------------------------------------------------------------- hosts */

static bool same_host(const qcap_endpoint_t *a, const qcap_endpoint_t *b)
{
    return a->version == b->version && memcmp(a->address, b->address, sizeof a->address) == 0;
}

/* A text that is no address, a name perhaps, leaves the version 0. */
static void read_address(qcap_endpoint_t *endpoint, const unsigned char *text, size_t len)
{
    char terminated[ADDRESS_MAX];
    if (len >= sizeof terminated)
        return;
    memcpy(terminated, text, len);
    terminated[len] = '\0';
    bool is_ipv6 = strchr(terminated, ':') != NULL;
    if (inet_pton(is_ipv6 ? AF_INET6 : AF_INET, terminated, endpoint->address) == 1)
        endpoint->version = is_ipv6 ? 6 : 4;
    else
        memset(endpoint->address, 0, sizeof endpoint->address);
}

static qcap_endpoint_t listener_of(const qcap_expected_t *expected, const qcap_endpoint_t ends[2])
{
    qcap_endpoint_t listener = {0};
    switch (expected->host) {
    case QCAP_HOST_CLIENT:
    case QCAP_HOST_SERVER:
        listener = ends[expected->host == QCAP_HOST_SERVER];
        break;
    case QCAP_HOST_ADDRESS:
        listener.version = 4;
        for (int i = 0; i < 4; i++)
            listener.address[i] = (uint8_t)(expected->address >> (24 - 8 * i));
        break;
    case QCAP_HOST_TEXT:
        read_address(&listener, expected->text, expected->text_len);
        break;
    }
    listener.port = expected->port;
    return listener;
}

/* See note [which one]; `listener` and `other` are the ends of the conversation that came. */
static bool fits(const qcapint_expected_t *e, const qcap_endpoint_t *listener, const qcap_endpoint_t *other)
{
    const qcap_endpoint_t *ends = e->found.ends;
    bool is_named = same_host(listener, &e->listener);
    bool is_member[2] = {same_host(other, &ends[0]), same_host(other, &ends[1])};
    return listener->port == e->listener.port &&
           ((is_named && (is_member[0] || is_member[1])) || (is_member[0] && same_host(listener, &ends[1])) ||
            (is_member[1] && same_host(listener, &ends[0])));
}

/* ---------------------------------------------------------------- lists */

static qcapint_expected_t **bucket_of(qcapint_expect_t *all, uint16_t port)
{
    return &all->buckets[(port ^ port >> 8) % QCAPINT_EXPECT_BUCKETS];
}

static void leave_announcer(qcapint_expected_t *e)
{
    qcapint_announcer_t *announcer = e->announcer;
    if (!announcer)
        return;
    *(e->announced_before ? &e->announced_before->announced_after : &announcer->first) = e->announced_after;
    *(e->announced_after ? &e->announced_after->announced_before : &announcer->last) = e->announced_before;
    announcer->count--;
    e->announcer = NULL;
}

static void drop(qcap_t *q, qcapint_expected_t *e)
{
    qcapint_expect_t *all = all_of(q);
    qcapint_expected_t **link = bucket_of(all, e->listener.port);
    while (*link != e)
        link = &(*link)->chain;
    *link = e->chain;
    *(e->older ? &e->older->newer : &all->first) = e->newer;
    *(e->newer ? &e->newer->older : &all->last) = e->older;
    all->count--;
    leave_announcer(e);
    if (e->found.conv)
        qcapint_conv_unref(e->found.conv);
    qcapint_budget_free(&q->budget, e, sizeof *e);
}

static void list(qcapint_expect_t *all, qcapint_announcer_t *announcer, qcapint_expected_t *e)
{
    qcapint_expected_t **bucket = bucket_of(all, e->listener.port);
    e->chain = *bucket;
    *bucket = e;
    e->older = all->last;
    *(e->older ? &e->older->newer : &all->first) = e;
    all->last = e;
    all->count++;
    e->announcer = announcer;
    e->announced_before = announcer->last;
    *(e->announced_before ? &e->announced_before->announced_after : &announcer->first) = e;
    announcer->last = e;
    announcer->count++;
}

/* ---------------------------------------------------------------- entry */

void qcapint_expect_add(qcap_t *q, qcapint_announcer_t *announcer, const qcapint_announcement_t *found,
                        const qcap_event_t *event)
{
    qcapint_expect_t *all = all_of(q);
    if (announcer->count >= PER_ANNOUNCER)
        drop(q, announcer->first);
    if (all->count >= MOST)
        drop(q, all->first);
    qcapint_expected_t *e = qcapint_budget_alloc(&q->budget, sizeof *e);
    if (!e)
        return;
    *e = (qcapint_expected_t){
        .transport = event->expected->transport,
        .name = event->text,
        .found = *found,
        .listener = listener_of(event->expected, found->ends),
        .announced_ns = q->now_ns,
    };
    if (found->conv)
        found->conv->references++;
    list(all, announcer, e);
}

void qcapint_expect_leave(qcapint_announcer_t *announcer)
{
    while (announcer->first)
        leave_announcer(announcer->first);
}

static qcapint_link_t *link_to(qcap_t *q, const qcapint_expected_t *e)
{
    const qcapint_announcement_t *found = &e->found;
    qcapint_link_t *link = qcapint_budget_alloc(&q->budget, sizeof *link);
    if (!link)
        return NULL;
    link->name = e->name;
    link->conv = found->conv;
    if (found->conv)
        found->conv->references++;
    link->parent = (qcap_parent_t){
        .protocol = found->protocol,
        .str = found->conv ? qcapint_conv_str(found->conv, found->is_server) : NULL,
        .exchange = found->exchange,
        .is_server = found->is_server,
        .offset = found->offset,
        .announced_ns = e->announced_ns,
    };
    return link;
}

/* Forgets what has timed out. */
static void expire(qcap_t *q)
{
    qcapint_expect_t *all = all_of(q);
    while (all->first && q->now_ns - all->first->announced_ns >= q->timeouts_ns[QCAP_TIMEOUT_EXPECTED])
        drop(q, all->first);
}

qcapint_link_t *qcapint_expect_find(qcap_t *q, const char *transport, const qcap_endpoint_t ends[2])
{
    qcapint_expect_t *all = all_of(q);
    expire(q);
    for (int i = 1; i >= 0 && all->count > 0; i--)
        for (const qcapint_expected_t *e = *bucket_of(all, ends[i].port); e; e = e->chain)
            if (strcmp(e->transport, transport) == 0 && fits(e, &ends[i], &ends[!i]))
                return link_to(q, e);
    return NULL;
}

void qcapint_link_free(qcap_t *q, qcapint_link_t *link)
{
    if (!link)
        return;
    if (link->conv)
        qcapint_conv_unref(link->conv);
    qcapint_budget_free(&q->budget, link, sizeof *link);
}

void qcapint_expect_fini(qcap_t *q)
{
    while (all_of(q)->first)
        drop(q, all_of(q)->first);
}
