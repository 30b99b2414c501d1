/* evidence.c: how much first bytes say for a protocol.
 *
 * In come the first bytes of a direction, or a datagram, and a protocol. Its own parser reads them, with nobody listening: so
 * there is no second description of a protocol to keep true, and what is identified is what can be read. Out goes a verdict.
 *
 * note [evidence]: that bytes are read without an error says little by itself: some rules take anything. A byte is evidence as
 * far as others in its place would have been refused. Where the parser stands, n of the 256 bytes go on: that is
 * log2(256 / n) bits. Noise that is read without an error and has collected b bits comes once in 2^b times, whatever the
 * grammar is (the product of 256 / n over the bytes read, 0 after an error, is expected to stay 1). Other people's texts are no
 * noise: as long as all bytes are those of texts, they are compared with noise made of these, too, and the lesser number
 * counts; and since every second byte of many records is zero, a zero says one bit at most. ENOUGH bits, and an element without a
 * complaint before it, confirm a protocol; PLENTY are certain. But people who make up protocols know each other's words: a line
 * of "HELLO" or "stats" is 40 bits, and says little. So of a text TEXT_PLENTY are wanted, which are two such lines.
 *
 * Bytes that only lengths or registers judge later are no evidence by that count: a protocol of numbers may have none. Then
 * the question is asked directly: some of the bytes are replaced, one at a time, by others, and what is refused then says how
 * much the true ones said. That takes some hundreds of attempts, so it is done where the cheap count is not enough.
 *
 * In the middle of a stream, the parser searches for a place to begin. At each there is another chance for noise, so log2 of
 * their number more bits are wanted. Where the port says nothing either, a text has to be two lines (MET_ENOUGH), without a
 * complaint behind them.
 *
 * Cost. Most protocols are out by the first byte, which is looked up in a set; mostly some tens of bytes are read one by one. */
#include "evidence.h"

#include <string.h>

#include "handle.h"
#include "parsing.h"

#define UNIT 16               /* bits are counted in parts of one */
#define ENOUGH (24 * UNIT)
#define PLENTY (32 * UNIT)
#define TEXT_PLENTY (64 * UNIT) /* the same of a text */
#define EXPECTED (8 * UNIT)   /* enough for a protocol whose port it is */
#define MET_ENOUGH (48 * UNIT)  /* of a text in the middle, on a port of nobody, */
#define MET_PLENTY (96 * UNIT)  /* and to be certain */
#define MET_INSIDE (24 * UNIT)  /* more, if it does not begin with a segment, as messages do that answer others */
#define LIKELY (8 * UNIT)     /* too little, but not nothing */
#define DAMAGED (24 * UNIT)   /* bits before an error that say that it was meant to be the protocol */
#define EXPECTED_DAMAGED (16 * UNIT) /* the same where it is that of the port */
#define ZERO (1 * UNIT)       /* the most that a byte says which is zero */
#define COUNTED 96            /* bytes that are counted, */
#define MET_COUNTED 512       /* and where more bits are wanted */
#define ALTERED 32            /* bytes that are replaced, */
#define ALTERATIONS 8         /* each so often */
#define ALTERED_LEN 1024      /* of so many bytes of a stream, or of a whole datagram */
#define TEXT_COUNT 98u        /* bytes that are_text() */
#define NOISE_LEN 128         /* fewer bytes do not tell */

/* ---------------------------------------------------------------- counting */

static bool is_text(unsigned char byte)
{
    return (byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == '\r' || byte == '\n';
}

/* log2(n) in units, rounded up, of 1 .. 256. By squaring: each time, the next binary digit of the logarithm comes out. */
static unsigned log2_up(unsigned n)
{
    unsigned whole = 0, fraction = 0;
    while (n >> (whole + 1))
        whole++;
    uint64_t x = ((uint64_t)n << 30) >> whole;
    for (unsigned digit = UNIT / 2; digit > 0; digit /= 2) {
        x = x * x >> 30;
        if (x >> 31) {
            x >>= 1;
            fraction += digit;
        }
    }
    return whole * UNIT + fraction + (n & (n - 1) ? 1 : 0);
}

void qcapint_evidence_prepare(qcapint_plan_t *plan)
{
    const qcap_protocol_t *protocol = plan->protocol;
    const uint16_t starts[] = {protocol->client.start, protocol->server.start, protocol->datagram};
    for (unsigned byte = 0; byte < 256; byte++) {
        plan->class_sizes[protocol->class_of[byte]].all++;
        plan->class_sizes[protocol->class_of[byte]].text += is_text((unsigned char)byte);
    }
    for (unsigned i = 0; i < sizeof starts / sizeof *starts; i++) {
        const qcap_state_t *s = starts[i] == QCAP_NONE ? NULL : &protocol->states[starts[i]];
        while (s && (s->kind & QCAP_STATE_KIND) == QCAP_STATE_ENTRY)
            s = &protocol->states[edge_of(protocol, s, 0)->target];
        bool is_known = !s || (s->kind & QCAP_STATE_KIND) == QCAP_STATE_BYTES;
        for (unsigned byte = 0; byte < 256; byte++)
            if (!is_known || (s && edge_by_byte(protocol, s, (unsigned char)byte)))
                plan->first[i][byte >> 5] |= UINT32_C(1) << (byte & 31);
    }
}

static bool may_begin(const qcapint_plan_t *plan, unsigned root, unsigned char byte)
{
    return plan->first[root][byte >> 5] >> (byte & 31) & 1;
}

/* How many bits are wanted: to confirm, and to be certain; [0]: of texts, [1]: of what is none. */
typedef struct demand {
    unsigned enough[2], plenty[2];
    unsigned damaged; /* before an error, to tell what it was meant to be */
} demand_t;

/* What was found out of one attempt. */
typedef struct attempt {
    qcap_t *q;
    bool has_element;
    bool has_complaint; /* an error, or an anomaly */
    bool is_tolerant;   /* the port says that it is the protocol: anomalies are not minded, and what is wanted is enough */
    bool is_binary;     /* not all bytes were those of a text */
    bool is_exact;      /* bytes are fed one by one while they are counted */
    bool is_rough;      /* one was refused among others: it has to be done again, exactly */
    uint64_t begin;     /* where a search found a place to begin */
    uint64_t error;     /* where the first error was; valid if has_complaint */
    unsigned wanted[2]; /* bits, of texts and of others; more are not counted. 0: any number is */
    unsigned countable; /* bytes that may be counted */
    unsigned noise, text; /* bits, compared with either, */
    uint8_t said[2][ALTERED]; /* and of each of the first bytes; how many bytes that were */
    size_t counted;
} attempt_t;

static unsigned bits(const attempt_t *attempt)
{
    return attempt->is_binary || attempt->noise < attempt->text ? attempt->noise : attempt->text;
}

static bool has_wanted(const attempt_t *attempt)
{
    return bits(attempt) >= attempt->wanted[attempt->is_binary];
}

/* Whether more bytes would change nothing. */
static bool is_over(const attempt_t *attempt)
{
    return attempt->has_complaint ||
           (attempt->is_tolerant && attempt->wanted[0] > 0 && attempt->has_element && has_wanted(attempt));
}

static void on_event(qcap_parser_t *parser, const qcap_event_t *event, void *user)
{
    attempt_t *attempt = user;
    bool is_element = event->kind == QCAP_EVENT_ELEMENT || event->kind == QCAP_EVENT_BEGIN;
    bool is_anomaly = event->kind == QCAP_EVENT_ANOMALY && (event->error || !(event->flags & QCAP_EVENT_FED));
    if (event->kind == QCAP_EVENT_SKIPPED && !attempt->has_element && !qcap_parser_parent(parser))
        attempt->begin = event->end;
    attempt->has_element |= is_element;
    if (!attempt->has_complaint)
        attempt->error = event->begin;
    attempt->has_complaint |= (is_anomaly && !attempt->is_tolerant) || event->kind == QCAP_EVENT_ERROR;
    if (is_over(attempt))
        qcap_parser_pause(parser);
}

/* Queues and datagrams need memory: qcap_memory_handler_t. */
static void *get_memory(void *block, size_t size, void *user)
{
    const attempt_t *attempt = user;
    if (!block)
        return qcapint_budget_get(&attempt->q->budget, size);
    qcapint_budget_free(&attempt->q->budget, block, size);
    return NULL;
}

static inline void add(attempt_t *attempt, unsigned noise, unsigned text)
{
    attempt->noise += noise;
    attempt->text += text;
    if (attempt->counted < ALTERED) {
        attempt->said[0][attempt->counted] = (uint8_t)noise;
        attempt->said[1][attempt->counted] = (uint8_t)text;
    }
}

/* What a byte says that is read in a state with that row. */
static __attribute__((noinline)) void find_bits(const qcapint_plan_t *plan, const qcap_state_t *s, qcapint_row_bits_t *bits)
{
    const qcap_protocol_t *protocol = plan->protocol;
    unsigned all = 0, text = 0;
    for (unsigned i = 0; i < protocol->class_count; i++) {
        if (row_of(protocol, s)[i] == 0)
            continue;
        all += plan->class_sizes[i].all;
        text += plan->class_sizes[i].text;
    }
    bits->row = s->row;
    bits->is_known = true;
    bits->noise = (uint8_t)(all > 0 ? 8 * UNIT - log2_up(all) : 0);
    bits->text = (uint8_t)(text > 0 ? log2_up(TEXT_COUNT) - log2_up(text) : 0);
}

static inline const qcapint_row_bits_t *bits_of_row(const qcapint_plan_t *plan, const qcap_state_t *s)
{
    qcapint_row_bits_t *known = &plan->row_bits[s->row % QCAPINT_ROW_BITS];
    if (!known->is_known || known->row != s->row)
        find_bits(plan, s, known);
    return known;
}

/* The state that reads the next byte, or where something else is done first. */
static const qcap_state_t *enter(const qcap_protocol_t *protocol, const qcap_state_t *s)
{
    while ((s->kind & QCAP_STATE_KIND) == QCAP_STATE_ENTRY)
        s = &protocol->states[edge_of(protocol, s, 0)->target];
    return s;
}

/* What a byte says that is read in the state. */
static inline void count(attempt_t *attempt, const qcapint_plan_t *plan, const qcap_state_t *s, unsigned char byte)
{
    attempt->is_binary |= !is_text(byte);
    if ((s->kind & QCAP_STATE_KIND) == QCAP_STATE_BYTES) {
        const qcapint_row_bits_t *said = bits_of_row(plan, s);
        add(attempt, byte == 0 && said->noise > ZERO ? ZERO : said->noise, said->text);
    }
    attempt->counted++;
}

/* How many of the next bytes are read in states that the tables tell: there is no region, and nothing is searched for. */
static size_t calm_len(const qcap_parser_t *parser, size_t len)
{
    uint64_t offset = qcap_parser_offset(parser), calm = parser->calm_end > offset ? parser->calm_end - offset - 1 : 0;
    bool is_new = offset == 0 && !parser->is_searching;
    return is_new || calm > len ? len : (size_t)calm;
}

/* Counts bytes that lead back to the state, up to a zero. Returns how many that are. */
static size_t count_loop(attempt_t *attempt, const qcapint_plan_t *plan, const qcap_state_t *s, const unsigned char *bytes, size_t len)
{
    const uint8_t *row = row_of(plan->protocol, s), *class_of = plan->protocol->class_of;
    const qcapint_row_bits_t said = *bits_of_row(plan, s);
    bool is_binary = false;
    size_t count = 0;
    for (; count < len && bytes[count] != 0 && row[class_of[bytes[count]]] == s->loop; count++)
        is_binary |= !is_text(bytes[count]);
    for (size_t at = attempt->counted; at < attempt->counted + count && at < ALTERED; at++) {
        attempt->said[0][at] = said.noise;
        attempt->said[1][at] = said.text;
    }
    attempt->is_binary |= is_binary;
    attempt->noise += (unsigned)count * said.noise;
    attempt->text += (unsigned)count * said.text;
    attempt->counted += count;
    return count;
}

/* Counts the next byte, before it is read, and as many more as are sure to be read, up to those that are plenty. Returns how many
 * that are. */
static size_t count_run(attempt_t *attempt, const qcapint_plan_t *plan, const qcap_parser_t *parser, const unsigned char *bytes,
                        size_t len)
{
    const qcap_protocol_t *protocol = plan->protocol;
    const qcap_state_t *s = enter(protocol, state_of(parser));
    size_t i = 0, most = calm_len(parser, len);
    unsigned number = 0;
    do {
        if (number > 0)
            s = &protocol->states[edge_of(protocol, s, number - 1)->target];
        number = (s->kind & QCAP_STATE_CALM) ? edge_by_byte(protocol, s, bytes[i]) : 0;
        if (number == 0 && i > 0)
            break;
        count(attempt, plan, s, bytes[i++]);
        if (number > 0 && number == s->loop && i < most)
            i += count_loop(attempt, plan, s, bytes + i, most - i);
    } while (number > 0 && i < most && !has_wanted(attempt));
    return i;
}

/* ---------------------------------------------------------------- one attempt */

static qcap_parser_t *begin_attempt(const qcapint_plan_t *plan, bool is_server, attempt_t *attempt)
{
    qcap_conversation_t *conversation = plan->scratch;
    *attempt = (attempt_t){.q = plan->q};
    qcap_conversation_init(conversation, plan->protocol, on_event, attempt);
    qcap_conversation_set_memory(conversation, get_memory);
    return is_server ? qcap_conversation_server(conversation) : qcap_conversation_client(conversation);
}

/* Gives back what the attempt was given. */
static void end_attempt(const qcapint_plan_t *plan)
{
    qcap_conversation_fini(plan->scratch);
}

/* Feeds it until it is over. The other direction is not read here, so nothing is waited for. Returns whether nothing was complained
 * about, or refused. */
static bool feed(qcap_parser_t *parser, const attempt_t *attempt, const unsigned char *bytes, size_t len)
{
    while (len > 0 && !is_over(attempt)) {
        size_t taken = qcap_parser_feed(parser, bytes, len);
        bytes += taken;
        len -= taken;
        if (taken > 0 || len == 0)
            continue;
        if (qcap_parser_status(parser) == QCAP_PARSER_WAITING)
            qcap_parser_hurry(parser);
        else if (qcap_parser_status(parser) != QCAP_PARSER_PAUSED) /* the rest may be another protocol's */
            return qcap_parser_status(parser) == QCAP_PARSER_BECAME;
    }
    return !attempt->has_complaint;
}

/* Feeds, and counts what the bytes say, until that is plenty: in runs, or one by one, so that it is known which one was refused. */
static bool feed_counting(const qcapint_plan_t *plan, qcap_parser_t *parser, attempt_t *attempt, const unsigned char *bytes,
                          size_t len)
{
    for (size_t i = 0, count; i < len; i += count) {
        const unsigned noise = attempt->noise, text = attempt->text;
        if (has_wanted(attempt))
            return feed(parser, attempt, bytes + i, len - i);
        count = count_run(attempt, plan, parser, bytes + i, attempt->is_exact ? 1 : len - i);
        if (feed(parser, attempt, bytes + i, count))
            continue;
        attempt->noise = noise; /* it was refused, or complained about */
        attempt->text = text;
        attempt->is_rough = count > 1;
        return false;
    }
    return true;
}

/* ---------------------------------------------------------------- other bytes in their place */

/* Whether bytes are read without a complaint, up to an element at least. */
typedef bool (*reads_t)(const qcapint_plan_t *plan, bool is_server, const unsigned char *bytes, size_t len);

static bool reads_stream(const qcapint_plan_t *plan, bool is_server, const unsigned char *bytes, size_t len)
{
    attempt_t attempt;
    bool is_read = feed(begin_attempt(plan, is_server, &attempt), &attempt, bytes, len) && attempt.has_element;
    end_attempt(plan);
    return is_read;
}

static bool reads_datagram(const qcapint_plan_t *plan, bool is_server, const unsigned char *bytes, size_t len)
{
    attempt_t attempt;
    qcap_parser_datagram(begin_attempt(plan, is_server, &attempt), bytes, len);
    end_attempt(plan);
    return attempt.has_element && !attempt.has_complaint;
}

/* Another byte of the same kind. `seed` makes them the same ones each time. */
static unsigned char another(unsigned char byte, bool is_binary, uint32_t *seed)
{
    unsigned char other;
    do {
        *seed = *seed * 1664525u + 1013904223u;
        other = (unsigned char)(*seed >> 24);
    } while (other == byte || (!is_binary && !is_text(other)));
    return other;
}

/* See note [evidence]. The bytes are read without a complaint; `counted` is what counting said of each. Stops when there are
 * `wanted` bits. False, too, if there is no memory for a copy. */
static bool is_picky(const qcapint_plan_t *plan, bool is_server, const unsigned char *bytes, size_t len, reads_t reads,
                     const attempt_t *counted, unsigned wanted)
{
    /* log2((ALTERATIONS + 1/2) / (as many as were read + 1/2)) */
    static const uint8_t refused[ALTERATIONS + 1] = {65, 40, 28, 20, 15, 10, 6, 3, 0};
    qcapint_buffer_t *buffer = &((qcapint_upper_t *)plan->q->upper)->altered;
    unsigned sum = 0;
    uint32_t seed = 1;
    bool is_binary = false;
    if (len == 0 || !qcapint_buffer_grow(plan->q, buffer, len))
        return false;
    unsigned char *copy = memcpy(buffer->bytes, bytes, len);
    for (size_t i = 0; i < len; i++)
        is_binary |= !is_text(bytes[i]);
    for (size_t i = 0; i < len && i < ALTERED && sum < wanted; i++) {
        unsigned read = 0;
        for (unsigned k = 0; k < ALTERATIONS; k++) {
            copy[i] = another(bytes[i], is_binary, &seed);
            read += reads(plan, is_server, copy, len);
        }
        copy[i] = bytes[i];
        unsigned said = counted->said[!is_binary][i] > refused[read] ? counted->said[!is_binary][i] : refused[read];
        sum += bytes[i] == 0 && said > ZERO ? ZERO : said;
    }
    return sum >= wanted;
}

/* ---------------------------------------------------------------- streams */

/* Whether the beginning of the direction, at `begin`, is missing. */
static bool is_begin_missing(qcap_tcpstr_t *str, uint64_t begin)
{
    const qcapint_segment_t *first = qcapint_tcpstr_segment(str, begin);
    return (begin == 0 && !str->has_syn) || (first && first->begin > begin);
}

static const qcap_root_t *root_of_str(const qcapint_plan_t *plan, const qcap_tcpstr_t *str)
{
    return qcapint_str_is_server(str) ? &plan->protocol->server : &plan->protocol->client;
}

static bool can_search(const qcapint_plan_t *plan, const qcap_tcpstr_t *str)
{
    return root_of_str(plan, str)->search != QCAP_NONE;
}

/* Where, from `begin` on, the parser finds a place to begin; UINT64_MAX: nowhere yet. `*places`: log2 of how many there were. */
static uint64_t search(const qcapint_plan_t *plan, qcap_tcpstr_t *str, uint64_t begin, unsigned *places)
{
    attempt_t attempt;
    qcap_parser_t *parser = begin_attempt(plan, qcapint_str_is_server(str), &attempt);
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, begin);
    uint64_t first = segment ? segment->begin : begin, offset = first;
    qcap_parser_search(parser);
    if (qcap_parser_status(parser) != QCAP_PARSER_SEARCHING) /* it begins with a segment, or is not found */
        return first;
    for (bool goes_on = true; goes_on && segment && segment->begin == offset && !attempt.has_element;
         segment = qcapint_tcpstr_segment(str, offset)) {
        offset += segment->len;
        goes_on = feed(parser, &attempt, segment->bytes, segment->len) && offset - first < QCAPINT_EVIDENCE_BYTES;
    }
    end_attempt(plan);
    while (attempt.begin >> *places)
        ++*places;
    return attempt.has_element ? first + attempt.begin : UINT64_MAX;
}

/* `is_met`: not from the beginning, and on a port of nobody. */
static demand_t demand_of(bool is_expected, bool is_met, unsigned more)
{
    const unsigned enough = more + (is_expected ? EXPECTED : ENOUGH);
    return (demand_t){.enough = {is_met ? more + MET_ENOUGH : enough, enough},
                      .plenty = {more + (is_met ? MET_PLENTY : TEXT_PLENTY), more + PLENTY},
                      .damaged = is_expected ? EXPECTED_DAMAGED : DAMAGED};
}

static qcapint_verdict_t judge(const attempt_t *attempt, const demand_t *demand, bool is_met, bool is_refused)
{
    const unsigned enough = demand->enough[attempt->is_binary], plenty = demand->plenty[attempt->is_binary];
    if (attempt->has_complaint || is_refused)
        return bits(attempt) >= enough && attempt->has_element && !is_met ? QCAPINT_VERDICT_CONFIRMED
               : bits(attempt) >= demand->damaged                         ? QCAPINT_VERDICT_DAMAGED
                                                                          : QCAPINT_VERDICT_EXCLUDED;
    if (!attempt->has_element || bits(attempt) < enough)
        return bits(attempt) >= LIKELY ? QCAPINT_VERDICT_LIKELY : QCAPINT_VERDICT_POSSIBLE;
    return bits(attempt) >= plenty ? QCAPINT_VERDICT_CERTAIN : QCAPINT_VERDICT_CONFIRMED;
}

/* Reads the bytes from `*offset` on, until they are enough, or one is refused: false. `*offset` is behind them then. */
static bool try_bytes(const qcapint_plan_t *plan, qcap_tcpstr_t *str, uint64_t *offset, attempt_t *attempt)
{
    const uint64_t first = *offset;
    const attempt_t asked = *attempt;
    qcap_parser_t *parser = begin_attempt(plan, qcapint_str_is_server(str), attempt);
    memcpy(attempt->wanted, asked.wanted, sizeof attempt->wanted);
    attempt->is_tolerant = asked.is_tolerant;
    attempt->is_exact = asked.is_exact;
    attempt->countable = asked.countable;
    bool is_taken = true;
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, first);
    for (; segment && segment->begin <= *offset && is_taken && *offset - first < QCAPINT_EVIDENCE_BYTES;
         segment = qcapint_tcpstr_segment(str, *offset)) {
        const unsigned char *bytes = segment->bytes + (*offset - segment->begin);
        size_t len = (size_t)(segment->begin + segment->len - *offset);
        size_t left = *offset - first < asked.countable ? (size_t)(asked.countable - (*offset - first)) : 0;
        size_t counted = len < left ? len : left;
        is_taken = feed_counting(plan, parser, attempt, bytes, counted) &&
                   feed(parser, attempt, bytes + counted, len - counted);
        *offset += len;
        if (attempt->has_element && has_wanted(attempt))
            break;
    }
    end_attempt(plan);
    return is_taken;
}

/* Of the bytes from `first` on. `is_met`: as in demand_of(). */
static qcapint_verdict_t read_from(const qcapint_plan_t *plan, qcap_tcpstr_t *str, uint64_t first, const demand_t *demand,
                                   bool is_expected, bool is_met, bool is_thorough)
{
    attempt_t attempt = {.wanted = {demand->plenty[0], demand->plenty[1]}, .is_tolerant = is_expected,
                         .countable = is_met ? MET_COUNTED : COUNTED};
    uint64_t offset = first;
    bool is_taken = try_bytes(plan, str, &offset, &attempt);
    if (attempt.is_rough) {
        offset = first;
        attempt.is_exact = true;
        is_taken = try_bytes(plan, str, &offset, &attempt);
    }
    qcapint_verdict_t verdict = judge(&attempt, demand, is_met, !is_taken);
    if (verdict > QCAPINT_VERDICT_LIKELY || !attempt.has_element || !is_thorough)
        return verdict;
    qcapint_upper_t *upper = plan->q->upper;
    uint64_t end = offset - first > ALTERED_LEN ? first + ALTERED_LEN : offset;
    const unsigned char *bytes = qcapint_tcpstr_gather(str, first, end, &upper->gathered);
    unsigned wanted = demand->enough[attempt.is_binary];
    bool is_server = qcapint_str_is_server(str);
    bool is_enough = bytes && is_picky(plan, is_server, bytes, (size_t)(end - first), reads_stream, &attempt, wanted);
    return is_enough ? QCAPINT_VERDICT_CONFIRMED : verdict;
}

/* Of a direction whose beginning is missing: what is found anywhere. Where nothing can be searched for, it may be what was encrypted. */
static qcapint_verdict_t read_middle(const qcapint_plan_t *plan, qcap_tcpstr_t *str, uint64_t begin, bool is_expected,
                                     bool is_thorough)
{
    unsigned places = 0;
    uint64_t found = search(plan, str, begin, &places);
    if (found == UINT64_MAX)
        return QCAPINT_VERDICT_POSSIBLE;
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, found);
    const unsigned more = is_expected || !segment || segment->begin == found ? 0 : MET_INSIDE;
    const demand_t demand = demand_of(is_expected, !is_expected, places * UNIT + more);
    qcapint_verdict_t verdict = read_from(plan, str, found, &demand, is_expected, !is_expected, is_thorough);
    if (verdict == QCAPINT_VERDICT_CONFIRMED || verdict == QCAPINT_VERDICT_CERTAIN)
        return verdict;
    bool is_likely = can_search(plan, str) || verdict == QCAPINT_VERDICT_LIKELY || qcapint_evidence_is_noise(str, begin);
    return is_likely ? QCAPINT_VERDICT_LIKELY : QCAPINT_VERDICT_POSSIBLE;
}

bool qcapint_evidence_may_begin(const qcapint_plan_t *plan, qcap_tcpstr_t *str, uint64_t begin)
{
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, begin);
    return !segment || segment->begin > begin || may_begin(plan, qcapint_str_is_server(str), segment->bytes[begin - segment->begin]);
}

qcapint_verdict_t qcapint_evidence_stream(const qcapint_plan_t *plan, qcap_tcpstr_t *str, uint64_t begin, bool is_expected,
                                          bool is_thorough)
{
    if (root_of_str(plan, str)->start == QCAP_NONE)
        return QCAPINT_VERDICT_EXCLUDED;
    if (is_begin_missing(str, begin))
        return read_middle(plan, str, begin, is_expected, is_thorough);
    if (!qcapint_evidence_may_begin(plan, str, begin))
        return QCAPINT_VERDICT_EXCLUDED;
    const demand_t demand = demand_of(is_expected, false, 0);
    return read_from(plan, str, begin, &demand, is_expected, false, is_thorough);
}

static bool feed_direction(qcap_parser_t *parser, const attempt_t *attempt, qcap_tcpstr_t *str, uint64_t begin)
{
    uint64_t offset = begin;
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, begin);
    for (; segment && segment->begin <= offset && offset - begin < ALTERED_LEN; segment = qcapint_tcpstr_segment(str, offset)) {
        if (!feed(parser, attempt, segment->bytes + (offset - segment->begin), (size_t)(segment->begin + segment->len - offset)))
            return false;
        offset = segment->begin + segment->len;
    }
    return true;
}

bool qcapint_evidence_is_answer(const qcapint_plan_t *plan, qcapint_conv_t *conv, const uint64_t begin[2], bool is_server)
{
    attempt_t attempt;
    qcap_parser_t *asking = begin_attempt(plan, !is_server, &attempt);
    qcap_parser_t *answering = is_server ? qcap_conversation_server(plan->scratch) : qcap_conversation_client(plan->scratch);
    attempt.is_tolerant = true;
    bool is_read = feed_direction(asking, &attempt, qcapint_conv_str(conv, !is_server), begin[!is_server]) &&
                   feed_direction(answering, &attempt, qcapint_conv_str(conv, is_server), begin[is_server]);
    end_attempt(plan);
    return is_read;
}

/* ---------------------------------------------------------------- datagrams, noise */

/* Of the port's protocol: anomalies are not minded. One that is malformed was meant to be of it if most of it could be read. */
static qcapint_verdict_t read_expected(const qcapint_plan_t *plan, bool is_server, const unsigned char *bytes, size_t len)
{
    attempt_t attempt;
    qcap_parser_t *parser = begin_attempt(plan, is_server, &attempt);
    attempt.is_tolerant = true;
    qcap_parser_datagram(parser, bytes, len);
    end_attempt(plan);
    if (!attempt.has_complaint)
        return attempt.has_element ? QCAPINT_VERDICT_CONFIRMED : QCAPINT_VERDICT_POSSIBLE;
    return attempt.has_element && attempt.error >= len - len / 2 ? QCAPINT_VERDICT_DAMAGED : QCAPINT_VERDICT_EXCLUDED;
}

qcapint_verdict_t qcapint_evidence_datagram(const qcapint_plan_t *plan, bool is_server, const unsigned char *bytes, size_t len,
                                            bool is_expected)
{
    const attempt_t nothing = {0};
    if (len > 0 && !may_begin(plan, 2, *bytes))
        return QCAPINT_VERDICT_EXCLUDED;
    if (is_expected)
        return read_expected(plan, is_server, bytes, len);
    bool is_read = reads_datagram(plan, is_server, bytes, len);
    return is_read && is_picky(plan, is_server, bytes, len, reads_datagram, &nothing, ENOUGH) ? QCAPINT_VERDICT_CONFIRMED
                                                                                                  : QCAPINT_VERDICT_EXCLUDED;
}

/* In noise, two bytes are the same once in 256 times. In texts and numbers that is at least ten times as often. */
bool qcapint_evidence_is_noise(qcap_tcpstr_t *str, uint64_t begin)
{
    uint32_t counts[256] = {0};
    uint64_t same = 0, len = 0;
    const qcapint_segment_t *segment = qcapint_tcpstr_segment(str, begin);
    while (segment && len < QCAPINT_EVIDENCE_BYTES) {
        for (uint64_t at = begin > segment->begin ? begin - segment->begin : 0; at < segment->len; at++, len++)
            same += counts[segment->bytes[at]]++;
        begin = segment->begin + segment->len;
        segment = qcapint_tcpstr_segment(str, begin);
    }
    return len >= NOISE_LEN && same * 2 * 128 <= len * (len - 1);
}
