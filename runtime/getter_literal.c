/* getter_literal.c: values in getters: from their text, and back.
 *
 * What a text means depends on the type of the field that it is compared with: see getter_lexer.re. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "getter.h"
#include "getter_parser.h"

#define NS_PER_S INT64_C(1000000000)

/* Seconds whose nanoseconds a time can count. */
#define SECONDS_MAX (INT64_MAX / NS_PER_S - 1)

/* ---------------------------------------------------------------- numbers and times */

static bool read_number(const char *text, size_t len, uint64_t *number)
{
    bool is_hex = len > 2 && text[1] == 'x';
    uint64_t base = is_hex ? 16 : 10;
    *number = 0;
    for (size_t i = is_hex ? 2 : 0; i < len; i++) {
        unsigned c = (unsigned char)text[i], digit = c <= '9' ? c - '0' : (c | 0x20u) - 'a' + 10;
        if (*number > (UINT64_MAX - digit) / base)
            return false;
        *number = *number * base + digit;
    }
    return true;
}

/* The digits behind a decimal point, as nanoseconds; what is finer is left out. */
static int64_t read_fraction(const char *digits, size_t len)
{
    int64_t ns = 0;
    for (size_t i = 0; i < 9; i++)
        ns = ns * 10 + (i < len ? digits[i] - '0' : 0);
    return ns;
}

static bool read_seconds(const char *text, size_t len, int64_t *time_ns)
{
    uint64_t seconds;
    const char *dot = memchr(text, '.', len);
    size_t whole = dot ? (size_t)(dot - text) : len;
    if (!read_number(text, whole, &seconds) || seconds > (uint64_t)SECONDS_MAX)
        return false;
    *time_ns = (int64_t)seconds * NS_PER_S + (dot ? read_fraction(dot + 1, len - whole - 1) : 0);
    return true;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that the leap day is the last. */
static int64_t days_to(int64_t year, int64_t month, int64_t day)
{
    year -= month < 3;
    int64_t days_to_month = (153 * ((month + 9) % 12) + 2) / 5;
    return 365 * year + year / 4 - year / 100 + year / 400 + days_to_month + day - 1 - 719468;
}

/* "2011-03-13 07:06:40.25", of which seconds, or minutes too, or all of the time may be missing. UTC. */
static bool read_date(const char *text, size_t len, int64_t *time_ns)
{
    static const int lens[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, hour = 0, minute = 0, second = 0, end = 0;
    char copy[48];
    if (len >= sizeof copy || strspn(text, "0123456789-: .") < len)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    int count = sscanf(copy, "%4d-%2d-%2d%n %2d:%2d%n:%2d%n", &year, &month, &day, &end, &hour, &minute, &end, &second, &end);
    const char *rest = copy + end;
    size_t digits = *rest == '.' ? strspn(rest + 1, "0123456789") : 0;
    if (count < 3 || count == 4 || year < 1970 || month < 1 || month > 12 || day < 1 || day > lens[month - 1] || hour < 0 ||
        hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    if ((digits > 0 && count < 6) || rest[digits ? digits + 1 : 0] != '\0' || year > 2261)
        return false;
    *time_ns = (((days_to(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * NS_PER_S +
               read_fraction(rest + 1, digits);
    return true;
}

/* ---------------------------------------------------------------- bytes */

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 0x20u) - 'a' + 10;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Pairs of digits with colons between. Returns how many, 0 if it is something else. */
static size_t read_pairs(const char *text, size_t len, unsigned char *bytes)
{
    if (len % 3 != 2)
        return 0;
    for (size_t i = 0; i < len; i += 3) {
        if (!is_hex(text[i]) || !is_hex(text[i + 1]) || (i + 2 < len && text[i + 2] != ':'))
            return 0;
        bytes[i / 3] = (unsigned char)(hex_value(text[i]) << 4 | hex_value(text[i + 1]));
    }
    return (len + 1) / 3;
}

/* What stands between quotes. Returns how many bytes it is, or SIZE_MAX for a backslash that means nothing. */
static size_t read_quoted(const char *text, size_t len, unsigned char *bytes)
{
    static const char names[] = "nrt\"\\", meanings[] = "\n\r\t\"\\";
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        const char *name;
        if (text[i] != '\\') {
            bytes[count++] = (unsigned char)text[i];
        } else if (len - i >= 4 && text[i + 1] == 'x' && is_hex(text[i + 2]) && is_hex(text[i + 3])) {
            bytes[count++] = (unsigned char)(hex_value(text[i + 2]) << 4 | hex_value(text[i + 3]));
            i += 3;
        } else if ((name = memchr(names, text[i + 1], sizeof names - 1))) {
            bytes[count++] = (unsigned char)meanings[name - names];
            i++;
        } else {
            return SIZE_MAX;
        }
    }
    return count;
}

/* An address, and behind a slash how many of its bits count. */
static const char *read_address(const qcapint_token_t *token, int family, unsigned char *bytes, qcapint_literal_t *literal)
{
    char copy[INET6_ADDRSTRLEN];
    const char *slash = memchr(token->text, '/', token->len);
    size_t len = slash ? (size_t)(slash - token->text) : token->len;
    uint64_t prefix;
    if (len >= sizeof copy)
        return "this is no address";
    memcpy(copy, token->text, len);
    copy[len] = '\0';
    if (inet_pton(family, copy, bytes) != 1)
        return family == AF_INET ? "this is no IPv4 address" : "this is no IPv6 address";
    literal->has_prefix = slash != NULL;
    if (slash && (!read_number(slash + 1, token->len - len - 1, &prefix) || prefix > (family == AF_INET ? 32 : 128)))
        return "an address does not have so many bits";
    literal->prefix = slash ? (unsigned)prefix : 0;
    return NULL;
}

/* ---------------------------------------------------------------- by type */

static const char *read_bytes(const qcapint_token_t *token, qcap_value_type_t type, unsigned char *bytes, size_t *len)
{
    uint64_t number;
    switch (token->kind) {
    case GETTER_STRING:
        *len = read_quoted(token->text + 1, token->len - 2, bytes);
        return *len == SIZE_MAX ? "a backslash here stands before one of n r t \" \\ x00" : NULL;
    case GETTER_COLONS:
        *len = read_pairs(token->text, token->len, bytes);
        return *len ? NULL : "these are no bytes: two digits for each, colons between";
    case GETTER_NUMBER:
        if (type != QCAP_VALUE_BYTES || !read_number(token->text, token->len, &number) || number > 255)
            return "a text in quotes is needed here, or bytes like 0a:0b";
        *bytes = (unsigned char)number;
        *len = 1;
        return NULL;
    default:
        return "a text in quotes is needed here, or bytes like 0a:0b";
    }
}

static const char *read_by_type(const qcapint_token_t *token, qcap_value_type_t type, qcapint_literal_t *literal,
                                unsigned char *bytes)
{
    qcap_value_t *value = &literal->low;
    bool is_number = token->kind == GETTER_NUMBER;
    switch (type) {
    case QCAP_VALUE_UINT:
        return is_number && read_number(token->text, token->len, &value->number) ? NULL : "a number is needed here";
    case QCAP_VALUE_BOOL:
        value->number = (*token->text | 0x20) == 't' || *token->text == '1';
        return token->kind == GETTER_TRUTH || (is_number && token->len == 1 && *token->text <= '1')
                   ? NULL : "true or false is needed here";
    case QCAP_VALUE_TIME:
        if (token->kind == GETTER_STRING)
            return read_date(token->text + 1, token->len - 2, &value->time_ns)
                       ? NULL : "this is no time: \"2011-03-13 07:06:40\"";
        return (is_number || token->kind == GETTER_DECIMAL) && token->text[1] != 'x' &&
                       read_seconds(token->text, token->len, &value->time_ns) ? NULL : "seconds since 1970 are needed here";
    case QCAP_VALUE_IPV4:
        value->len = 4;
        return token->kind == GETTER_ADDRESS ? read_address(token, AF_INET, bytes, literal) : "an IPv4 address is needed here";
    case QCAP_VALUE_IPV6:
        value->len = 16;
        return token->kind == GETTER_COLONS ? read_address(token, AF_INET6, bytes, literal) : "an IPv6 address is needed here";
    case QCAP_VALUE_ETHERNET:
        value->len = 6;
        return token->kind == GETTER_COLONS && token->len == 17 && read_pairs(token->text, 17, bytes)
                   ? NULL : "an Ethernet address is needed here";
    default:
        return read_bytes(token, type, bytes, &value->len);
    }
}

const char *qcapint_literal_read(const qcapint_token_t *token, qcap_value_type_t type, qcapint_literal_t *literal,
                                 unsigned char **pool)
{
    *literal = (qcapint_literal_t){.low = {.type = type, .bytes = *pool}};
    const char *wrong = read_by_type(token, type, literal, *pool);
    *pool += wrong ? 0 : literal->low.len;
    literal->high = literal->low;
    return wrong;
}

/* ---------------------------------------------------------------- printing */

static void print_pairs(const qcap_value_t *value, char *text, size_t size)
{
    size_t at = 0;
    if (value->len == 1) {
        snprintf(text, size, "0x%02x", value->bytes[0]);
        return;
    }
    for (size_t i = 0; i < value->len && at + 4 <= size; i++)
        at += (size_t)snprintf(text + at, size - at, i ? ":%02x" : "%02x", value->bytes[i]);
}

static void print_quoted(const qcap_value_t *value, char *text, size_t size)
{
    size_t at = 0;
    text[at++] = '"';
    for (size_t i = 0; i < value->len && at + 6 <= size; i++) {
        unsigned char c = value->bytes[i];
        if (c < 0x20 || c >= 0x7f)
            at += (size_t)snprintf(text + at, size - at, "\\x%02x", c);
        else
            at += (size_t)snprintf(text + at, size - at, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    snprintf(text + at, size - at, "\"");
}

const char *qcap_value_print(const qcap_value_t *value, char *text, size_t size)
{
    int64_t ns = value->time_ns;
    if (size == 0)
        return text;
    text[0] = '\0';
    switch (value->type) {
    case QCAP_VALUE_BOOL:
        snprintf(text, size, "%s", value->number ? "true" : "false");
        break;
    case QCAP_VALUE_UINT:
        snprintf(text, size, "%" PRIu64, value->number);
        break;
    case QCAP_VALUE_TIME:
        snprintf(text, size, "%s%" PRId64 ".%09" PRId64, ns < 0 ? "-" : "", ns < 0 ? -(ns / NS_PER_S) : ns / NS_PER_S,
                 ns < 0 ? -(ns % NS_PER_S) : ns % NS_PER_S);
        break;
    case QCAP_VALUE_IPV4:
    case QCAP_VALUE_IPV6:
        inet_ntop(value->type == QCAP_VALUE_IPV4 ? AF_INET : AF_INET6, value->bytes, text, (socklen_t)size);
        break;
    case QCAP_VALUE_STRING:
        if (size > 3)
            print_quoted(value, text, size);
        break;
    default:
        print_pairs(value, text, size);
        break;
    }
    return text;
}
