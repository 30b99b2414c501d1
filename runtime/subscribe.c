/* subscribe.c: names become rows of plans, once, before the first packet.
 *
 * In comes a name, "protocol.field-value[Cookie]": the protocol, any tail of an element's path, and a text that the
 * element's selector must have. Out goes a row in the list of each element that fits, so that deliver.c needs no
 * names: it looks at the list of the element that an event is about. Texts of selectors become choices, numbered in
 * their plan: deliver.c keeps, for each direction, which of them hold now.
 *
 * A protocol is noticed if anything of it is wanted, or reports of any kind, or if it announces conversations, or feeds one that
 * is noticed. Sub-streams of others are passed over; conversations of others are identified and cost nothing more, unless they
 * may go over to another protocol.
 *
 * Invariant: the bit of an element in plan->wanted is set if it has rows or is a selector, and else clear. */
#include "subscribe.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "deliver.h"
#include "evidence.h"
#include "handle.h"
#include "identify.h"
#include "meant.h"

#define PATH_SIZE 512

/* A name, taken apart; all borrowed from its text. */
typedef struct name {
    const char *protocol; /* before the first dot */
    size_t protocol_len;
    const char *tail; /* between that dot and the selector */
    size_t tail_len;
    const char *choice; /* between the brackets; NULL: no selector */
    size_t choice_len;
} name_t;

/* What a subscription asks for. */
typedef struct request {
    name_t name;
    qcap_match_handler_t handler;
    void *user;     /* the handler's */
    bool is_stream; /* wants elements that come in pieces */
} request_t;

/* ---------------------------------------------------------------- plans */

static size_t wanted_size(const qcap_protocol_t *protocol)
{
    return ((size_t)protocol->element_count + 63) / 64 * sizeof(uint64_t);
}

static size_t interests_size(const qcap_protocol_t *protocol)
{
    return (size_t)protocol->element_count * sizeof(qcapint_interest_t);
}

static size_t class_sizes_size(const qcap_protocol_t *protocol)
{
    return (size_t)protocol->class_count * sizeof(qcapint_class_size_t);
}

qcapint_plan_t *qcapint_subscribe_plan_new(qcap_t *q, const qcap_protocol_t *protocol)
{
    qcapint_plan_t *plan = qcapint_budget_alloc(&q->budget, sizeof *plan);
    if (!plan)
        return NULL;
    plan->protocol = protocol;
    plan->left.plan = plan;
    plan->q = q;
    plan->interests = qcapint_budget_alloc(&q->budget, interests_size(protocol));
    plan->wanted = qcapint_budget_alloc(&q->budget, wanted_size(protocol));
    plan->scratch = qcapint_budget_alloc(&q->budget, protocol->size);
    plan->delivers = qcapint_budget_alloc(&q->budget, sizeof *plan->delivers);
    if (plan->delivers)
        qcapint_pool_init(plan->delivers, &q->budget, qcapint_deliver_size(protocol));
    plan->class_sizes = qcapint_budget_alloc(&q->budget, class_sizes_size(protocol));
    plan->row_bits = qcapint_budget_alloc(&q->budget, QCAPINT_ROW_BITS * sizeof *plan->row_bits);
    if (!plan->interests || !plan->wanted || !plan->scratch || !plan->class_sizes || !plan->row_bits || !plan->delivers) {
        qcapint_subscribe_plan_free(q, plan);
        return NULL;
    }
    qcapint_evidence_prepare(plan);
    return plan;
}

static void free_rows(qcap_t *q, qcapint_row_t *rows)
{
    while (rows) {
        qcapint_row_t *row = rows;
        rows = row->next;
        qcapint_budget_free(&q->budget, row, sizeof *row);
    }
}

static void free_interest(qcap_t *q, qcapint_interest_t *interest)
{
    free_rows(q, interest->rows);
    if (interest->path)
        qcapint_budget_free(&q->budget, interest->path, strlen(interest->path) + 1);
}

void qcapint_subscribe_plan_free(qcap_t *q, qcapint_plan_t *plan)
{
    if (!plan)
        return;
    for (uint16_t i = 0; plan->interests && i < plan->protocol->element_count; i++)
        free_interest(q, &plan->interests[i]);
    while (plan->choices) {
        qcapint_choice_t *choice = plan->choices;
        plan->choices = choice->next;
        qcapint_budget_free(&q->budget, choice, sizeof *choice + choice->len);
    }
    qcapint_budget_free(&q->budget, plan->interests, interests_size(plan->protocol));
    qcapint_budget_free(&q->budget, plan->wanted, wanted_size(plan->protocol));
    qcapint_budget_free(&q->budget, plan->scratch, plan->protocol->size);
    if (plan->delivers)
        qcapint_pool_fini(plan->delivers);
    qcapint_budget_free(&q->budget, plan->delivers, sizeof *plan->delivers);
    qcapint_budget_free(&q->budget, plan->class_sizes, class_sizes_size(plan->protocol));
    qcapint_budget_free(&q->budget, plan->row_bits, QCAPINT_ROW_BITS * sizeof *plan->row_bits);
    qcapint_budget_free(&q->budget, plan, sizeof *plan);
}

static void want(qcapint_plan_t *plan, uint16_t element)
{
    plan->wanted[element / 64] |= UINT64_C(1) << element % 64;
}

static bool is_wanted(const qcapint_plan_t *plan)
{
    const qcap_protocol_t *protocol = plan->protocol;
    uint64_t any = protocol->expects[0].transport != NULL;
    for (uint16_t i = 0; i < protocol->element_count; i += 64)
        any |= plan->wanted[i / 64];
    return any != 0;
}

/* Whether it feeds one that is_noticed. */
static bool feeds_noticed(const qcap_t *q, const qcap_protocol_t *protocol)
{
    for (uint16_t i = 0; i < protocol->feed_count; i++) {
        const char *name = protocol->feeds[i].protocol;
        const qcapint_plan_t *plan = name ? qcapint_identify_find(q, name) : NULL;
        if (plan && plan->is_noticed)
            return true;
    }
    return false;
}

void qcapint_subscribe_update(qcap_t *q)
{
    qcapint_upper_t *upper = q->upper;
    bool has_reporter = false, has_changed = true;
    for (size_t kind = 0; kind < sizeof upper->reporters / sizeof upper->reporters[0]; kind++)
        has_reporter |= upper->reporters[kind] != NULL;
    for (uint32_t i = 0; i < upper->plan_count; i++)
        upper->plans[i]->is_noticed = has_reporter || is_wanted(upper->plans[i]);
    while (has_changed) {
        has_changed = false;
        for (uint32_t i = 0; i < upper->plan_count; i++) {
            qcapint_plan_t *plan = upper->plans[i];
            if (plan->is_noticed || !feeds_noticed(q, plan->protocol))
                continue;
            plan->is_noticed = has_changed = true;
        }
    }
    for (uint32_t i = 0; i < upper->plan_count; i++)
        upper->plans[i]->is_read = upper->plans[i]->is_noticed || upper->plans[i]->protocol->may_become;
}

/* ---------------------------------------------------------------- names */

static bool is_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

/* Takes a name apart. False if it has no dot, an empty part, or brackets that do not close at its end. */
static bool read_name(const char *text, name_t *name)
{
    size_t len = strlen(text);
    const char *bracket = strchr(text, '[');
    name->choice = NULL;
    name->choice_len = 0;
    if (bracket) {
        if (text[len - 1] != ']')
            return false;
        name->choice = bracket + 1;
        name->choice_len = (size_t)(text + len - 1 - name->choice);
        len = (size_t)(bracket - text);
    }
    const char *dot = memchr(text, '.', len);
    if (!dot)
        return false;
    name->protocol = text;
    name->protocol_len = (size_t)(dot - text);
    name->tail = dot + 1;
    name->tail_len = (size_t)(text + len - name->tail);
    return name->protocol_len > 0 && name->tail_len > 0;
}

/* Whether the tail of the name is a tail of the element's path, behind the protocol: compared from its end, so that most
 * elements are out by their own name. */
static bool fits(const name_t *name, const qcap_protocol_t *protocol, uint16_t element)
{
    size_t left = name->tail_len;
    for (; element != QCAP_NONE; element = protocol->elements[element].parent) {
        const char *part = protocol->elements[element].name;
        size_t len = strlen(part);
        if (len > left || !is_same(name->tail + left - len, len, part, len))
            return false;
        left -= len;
        if (left == 0)
            return true;
        if (name->tail[--left] != '.')
            return false;
    }
    return false;
}

static qcapint_plan_t *find_plan(const qcapint_upper_t *upper, const name_t *name)
{
    for (uint32_t i = 0; i < upper->plan_count; i++) {
        const char *protocol = upper->plans[i]->protocol->name;
        if (is_same(protocol, strlen(protocol), name->protocol, name->protocol_len))
            return upper->plans[i];
    }
    return NULL;
}

bool qcapint_subscribe_fits(const char *text, const qcap_protocol_t *protocol, uint16_t element)
{
    name_t name;
    size_t len = strlen(protocol->name);
    if (!strchr(text, '.'))
        return is_same(text, strlen(text), protocol->name, len);
    return read_name(text, &name) && is_same(name.protocol, name.protocol_len, protocol->name, len) &&
           fits(&name, protocol, element);
}

/* The end of a path that has as many parts as the name's tail; all behind the protocol, if that has fewer. */
static const char *tail_of(const char *path, const name_t *name)
{
    unsigned parts = 1;
    for (size_t i = 0; i < name->tail_len; i++)
        parts += name->tail[i] == '.';
    const char *begin = strchr(path, '.') + 1, *at = path + strlen(path);
    for (; at > begin; at--)
        if (at[-1] == '.' && --parts == 0)
            break;
    return at;
}

/* The text of a selector may have been meant by a name that is none: "cookie", of http.field-value[cookie]. */
static void guess_choice(const qcap_protocol_t *protocol, const name_t *name, qcapint_meant_t *meant)
{
    char selected[QCAPINT_MEANT_SIZE];
    for (uint16_t i = 0; i < protocol->element_count && !memchr(name->tail, '.', name->tail_len) && !name->choice; i++) {
        if (protocol->elements[i].selector == QCAP_NONE)
            continue;
        int len = snprintf(selected, sizeof selected, "%s.%s[%.*s]", protocol->name, protocol->elements[i].name,
                           (int)name->tail_len, name->tail);
        if ((size_t)len < sizeof selected)
            qcapint_meant_suggest(meant, selected);
        return;
    }
}

/* What was probably meant by a name: a protocol's, or an element's of a protocol that there is. */
static void guess(const qcap_t *q, const name_t *name, qcapint_meant_t *meant)
{
    char path[PATH_SIZE], before[QCAPINT_MEANT_SIZE];
    const qcapint_upper_t *upper = q->upper;
    const qcapint_plan_t *plan = find_plan(upper, name);
    if (plan)
        qcapint_meant_begin(meant, name->tail, name->tail_len);
    else
        qcapint_meant_begin(meant, name->protocol, name->protocol_len);
    for (uint32_t i = 0; !plan && i < upper->plan_count; i++)
        qcapint_meant_offer(meant, "", upper->plans[i]->protocol->name);
    for (uint16_t i = 0; plan && i < plan->protocol->element_count; i++) {
        snprintf(before, sizeof before, "%s.", plan->protocol->name);
        qcap_element_path(plan->protocol, i, path, sizeof path);
        qcapint_meant_offer(meant, before, tail_of(path, name));
    }
    if (plan)
        guess_choice(plan->protocol, name, meant);
}

void qcapint_subscribe_guess(const qcap_t *q, const char *text, qcapint_meant_t *meant)
{
    name_t name;
    if (!read_name(text, &name))
        name = (name_t){.protocol = text, .protocol_len = strlen(text)};
    guess(q, &name, meant);
}

/* ---------------------------------------------------------------- rows */

/* The choice of that text for that selector: the one that exists, or a new one. NULL if there is no memory. */
static qcapint_choice_t *get_choice(qcap_t *q, qcapint_plan_t *plan, uint16_t selector, const name_t *name)
{
    for (qcapint_choice_t *choice = plan->choices; choice; choice = choice->next)
        if (choice->selector == selector && is_same(choice->text, choice->len, name->choice, name->choice_len))
            return choice;
    qcapint_choice_t *choice = NULL;
    if (plan->choice_count < UINT16_MAX)
        choice = qcapint_budget_alloc(&q->budget, sizeof *choice + name->choice_len);
    if (!choice)
        return NULL;
    choice->next = plan->choices;
    choice->selector = selector;
    choice->index = plan->choice_count++;
    choice->len = name->choice_len;
    memcpy(choice->text, name->choice, name->choice_len);
    plan->choices = choice;
    plan->interests[selector].is_selector = true;
    want(plan, selector);
    return choice;
}

/* A row that is in no list yet, with what it needs. NULL if there is no memory. */
static qcapint_row_t *make_row(qcap_t *q, qcapint_plan_t *plan, uint16_t element, const char *path,
                               const request_t *request)
{
    qcapint_interest_t *interest = &plan->interests[element];
    const qcapint_choice_t *choice = NULL;
    if (request->name.choice) {
        choice = get_choice(q, plan, plan->protocol->elements[element].selector, &request->name);
        if (!choice)
            return NULL;
    }
    if (!interest->path) {
        interest->path = qcapint_budget_alloc(&q->budget, strlen(path) + 1);
        if (!interest->path)
            return NULL;
        memcpy(interest->path, path, strlen(path) + 1);
    }
    qcapint_row_t *row = qcapint_budget_alloc(&q->budget, sizeof *row);
    if (row)
        *row = (qcapint_row_t){NULL, element, request->handler, request->user, choice};
    return row;
}

static void add_row(qcapint_plan_t *plan, qcapint_row_t *row)
{
    qcapint_row_t **end = &plan->interests[row->element].rows;
    while (*end)
        end = &(*end)->next;
    *end = row;
    row->next = NULL;
    want(plan, row->element);
}

/* Whether the request is for this element, whose path fits. */
static bool is_for(const request_t *request, const qcap_element_t *element)
{
    return element->is_stream == request->is_stream && (!request->name.choice || element->selector != QCAP_NONE);
}

/* How many elements fit the name, of those that come whole or, if is_stream, in pieces; `others`: how many fit it but
 * come the other way; `unselected`: how many would fit but have no selector. */
static unsigned count_fits(const qcapint_plan_t *plan, const request_t *request, unsigned *others, unsigned *unselected)
{
    unsigned count = 0;
    *others = *unselected = 0;
    for (uint16_t i = 0; i < plan->protocol->element_count; i++) {
        const qcap_element_t *element = &plan->protocol->elements[i];
        if (!fits(&request->name, plan->protocol, i))
            continue;
        if (is_for(request, element))
            count++;
        else if (request->name.choice && element->selector == QCAP_NONE)
            ++*unselected;
        else
            ++*others;
    }
    return count;
}

/* All rows are made before the first is added: a call that fails changes nothing. */
static int add_rows(qcap_t *q, qcapint_plan_t *plan, const request_t *request)
{
    char path[PATH_SIZE];
    qcapint_row_t *rows = NULL;
    for (uint16_t i = 0; i < plan->protocol->element_count; i++) {
        if (!fits(&request->name, plan->protocol, i) || !is_for(request, &plan->protocol->elements[i]))
            continue;
        qcap_element_path(plan->protocol, i, path, sizeof path);
        qcapint_row_t *row = make_row(q, plan, i, path, request);
        if (!row) {
            free_rows(q, rows);
            return qcapint_fail(q, QCAP_E_MEMORY, "no memory for a handler of %s", path);
        }
        row->next = rows;
        rows = row;
    }
    while (rows) {
        qcapint_row_t *row = rows;
        rows = row->next;
        add_row(plan, row);
    }
    qcapint_subscribe_update(q);
    return QCAP_OK;
}

static int subscribe(qcap_t *q, const char *text, const request_t *asked)
{
    request_t request = *asked;
    qcapint_upper_t *upper = q->upper;
    unsigned others, unselected;
    qcapint_meant_t meant;
    int status = qcapint_before_begin(q);
    if (status < 0)
        return status;
    if (!read_name(text, &request.name))
        return qcapint_fail(q, QCAP_E_NAME,
                            "\"%s\" is no name of an element: PROTOCOL.ELEMENT or PROTOCOL.ELEMENT[TEXT]", text);
    qcapint_plan_t *plan = find_plan(upper, &request.name);
    if (!plan) {
        guess(q, &request.name, &meant);
        return qcapint_fail(q, QCAP_E_NAME, "%s: there is no protocol \"%.*s\"%s", text, (int)request.name.protocol_len,
                            request.name.protocol, qcapint_meant_text(&meant));
    }
    if (count_fits(plan, &request, &others, &unselected) > 0)
        return add_rows(q, plan, &request);
    if (others > 0)
        return qcapint_fail(q, QCAP_E_NAME, "%s comes %s", text,
                            request.is_stream ? "whole: it has no pieces" : "in pieces: it needs a stream handler");
    if (unselected > 0)
        return qcapint_fail(q, QCAP_E_NAME, "%s: this element has no selector", text);
    guess(q, &request.name, &meant);
    return qcapint_fail(q, QCAP_E_NAME, "%s: protocol %s has no such element%s", text, plan->protocol->name,
                        qcapint_meant_text(&meant));
}

/* ---------------------------------------------------------------- public */

int qcap_tcpstr_handler_add(qcap_t *q, const char *name, qcap_match_handler_t handler, void *user)
{
    return subscribe(q, name, &(request_t){.handler = handler, .user = user, .is_stream = false});
}

int qcap_stream_handler_add(qcap_t *q, const char *name, qcap_match_handler_t handler, void *user)
{
    return subscribe(q, name, &(request_t){.handler = handler, .user = user, .is_stream = true});
}

static int add_reporter(qcap_t *q, qcap_report_kind_t kind, qcap_report_handler_t handler, void *user)
{
    qcapint_upper_t *upper = q->upper;
    int status = qcapint_before_begin(q);
    if (status < 0)
        return status;
    qcapint_reporter_t *reporter = qcapint_budget_alloc(&q->budget, sizeof *reporter);
    if (!reporter)
        return qcapint_fail(q, QCAP_E_MEMORY, "no memory for a handler of reports");
    *reporter = (qcapint_reporter_t){NULL, handler, user};
    qcapint_reporter_t **end = &upper->reporters[kind];
    while (*end)
        end = &(*end)->next;
    *end = reporter;
    qcapint_subscribe_update(q);
    return QCAP_OK;
}

int qcap_anomaly_handler_add(qcap_t *q, qcap_report_handler_t handler, void *user)
{
    return add_reporter(q, QCAP_REPORT_ANOMALY, handler, user);
}

int qcap_gap_handler_add(qcap_t *q, qcap_report_handler_t handler, void *user)
{
    return add_reporter(q, QCAP_REPORT_GAP, handler, user);
}

int qcap_error_handler_add(qcap_t *q, qcap_report_handler_t handler, void *user)
{
    return add_reporter(q, QCAP_REPORT_ERROR, handler, user);
}

void qcapint_subscribe_fini(qcap_t *q)
{
    qcapint_upper_t *upper = q->upper;
    for (size_t kind = 0; kind < sizeof upper->reporters / sizeof upper->reporters[0]; kind++) {
        while (upper->reporters[kind]) {
            qcapint_reporter_t *reporter = upper->reporters[kind];
            upper->reporters[kind] = reporter->next;
            qcapint_budget_free(&q->budget, reporter, sizeof *reporter);
        }
    }
}
