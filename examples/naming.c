/* naming.c: words and sections of one field, put together when it is complete. */
#include "naming.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHARSET_SIZE 64
#define PARTS_MAX 64 /* words, and sections, of one field: what is beyond is left as it was sent */

/* A word, or a section. */
typedef struct part {
    uint64_t begin, end; /* of a word, in the mail */
    unsigned number;     /* of a section */
    char *text;          /* what a word means; what a section says, without backslashes and escapes */
    size_t len;
} part_t;

struct naming {
    char charset[CHARSET_SIZE];        /* of the word at hand */
    char section_charset[CHARSET_SIZE];
    uint64_t begin;                    /* of that word */
    unsigned number;                   /* of the section at hand */
    part_t words[PARTS_MAX], sections[PARTS_MAX];
    size_t word_count, section_count;
};

/* ---------------------------------------------------------------- texts */

/* Those that mails are written in. The C library knows many more, some of which have hung or crashed on what is none of their
 * text; and in its names, `/` gives orders. */
static bool is_usual(const char *charset)
{
    static const char *const usual[] = {"utf-8",       "utf-16",   "us-ascii", "iso-8859-", "windows-", "cp125",  "koi8-",
                                        "iso-2022-jp", "shift_jis", "euc-",    "gb2312",    "gbk",      "gb18030", "big5"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strncasecmp(charset, usual[i], strlen(usual[i])) == 0)
            return !strchr(charset, '/');
    return false;
}

/* The text in UTF-8: as it is where nobody knows the character set, `?` for what is none in it. */
static char *to_utf8(const program_t *program, const char *charset, const char *text, size_t len)
{
    size_t size = 6 * len + 1, left = size - 1;
    char *to = program_resize(program, NULL, size), *at = to, *from = (char *)(uintptr_t)text;
    iconv_t converter = !*charset || is_usual(charset) ? iconv_open("UTF-8", *charset ? charset : "UTF-8") : (iconv_t)-1;
    if (converter == (iconv_t)-1) {
        memcpy(to, text, len);
        to[len] = '\0';
        return to;
    }
    while (len > 0 && iconv(converter, &from, &len, &at, &left) == (size_t)-1 && errno != E2BIG && left > 0) {
        *at++ = '?';
        left--;
        from++;
        len--;
    }
    iconv_close(converter);
    *at = '\0';
    return to;
}

/* RFC 2231, 4: what is written as `%XX`; and RFC 5322, 3.2.4: what stands behind a backslash. Returns the length
 * of what it means. */
static size_t unescape(char *text, size_t len, bool is_extended)
{
    size_t to = 0;
    for (size_t i = 0; i < len; i++) {
        bool is_octet = is_extended && text[i] == '%' && i + 2 < len && hex_value((unsigned char)text[i + 1]) >= 0 &&
                        hex_value((unsigned char)text[i + 2]) >= 0;
        if (is_octet) {
            text[to++] = (char)(hex_value((unsigned char)text[i + 1]) * 16 + hex_value((unsigned char)text[i + 2]));
            i += 2;
        } else {
            i += !is_extended && text[i] == '\\' && i + 1 < len;
            text[to++] = text[i];
        }
    }
    return to;
}

/* Of a longer name of a character set, nobody knows it. */
static void note(char to[CHARSET_SIZE], const qcap_match_t *match)
{
    size_t len = match->len < CHARSET_SIZE ? match->len : CHARSET_SIZE - 1;
    memcpy(to, match->bytes, len);
    to[len] = '\0';
}

/* ---------------------------------------------------------------- taking */

static void add_word(const program_t *program, naming_t *n, const qcap_match_t *match)
{
    part_t *word = &n->words[n->word_count];
    if (n->word_count == PARTS_MAX || word->end == 0)
        return;
    word->text = to_utf8(program, n->charset, (const char *)match->bytes, match->len);
    word->len = strlen(word->text);
    n->word_count++;
}

/* The text of a word, which is told after this one, lies between `=?CHARSET?Q?` and `?=`. */
static void place_word(naming_t *n, const qcap_match_t *encoded)
{
    if (n->word_count < PARTS_MAX)
        n->words[n->word_count] = (part_t){.begin = n->begin, .end = encoded->own_end};
}

static void add_section(const program_t *program, naming_t *n, const qcap_match_t *match, bool is_extended)
{
    if (n->section_count == PARTS_MAX)
        return;
    part_t *section = &n->sections[n->section_count++];
    *section = (part_t){.number = n->number, .text = program_copy(program, match)};
    section->len = unescape(section->text, match->len, is_extended);
    n->number = 0;
}

static unsigned number_of(const qcap_match_t *match)
{
    unsigned number = 0;
    for (size_t i = 0; i < match->len; i++)
        number = number * 10 + match->bytes[i] - '0'; /* three digits at most: mime.abnf */
    return number;
}

void naming_take(const program_t *program, naming_t **naming, const qcap_match_t *match)
{
    const char *name = strrchr(match->path, '.') + 1;
    if (!match->bytes && match->len > 0)
        return;
    if (!*naming)
        *naming = memset(program_resize(program, NULL, sizeof **naming), 0, sizeof **naming);
    naming_t *n = *naming;
    if (strcmp(name, "word-charset") == 0) {
        note(n->charset, match);
        n->begin = match->own_begin - strlen("=?");
    } else if (strcmp(name, "encoded-text") == 0) {
        place_word(n, match);
    } else if (strcmp(name, "word-text") == 0) {
        add_word(program, n, match);
    } else if (strcmp(name, "section-number") == 0) {
        n->number = number_of(match);
    } else if (strcmp(name, "section-charset") == 0) {
        note(n->section_charset, match);
    } else {
        add_section(program, n, match, strcmp(name, "extended-octets") == 0);
    }
}

/* ---------------------------------------------------------------- putting together */

static const part_t *word_at(const naming_t *naming, uint64_t begin)
{
    for (size_t i = 0; naming && i < naming->word_count; i++)
        if (naming->words[i].begin == begin)
            return &naming->words[i];
    return NULL;
}

/* RFC 2047, 6.2: blanks between two words are part of neither. RFC 5322, 2.2.3: nor are the ends of folded lines. */
char *naming_name(const program_t *program, const naming_t *naming, const qcap_match_t *name)
{
    size_t size = name->len + 1, len = 0, behind = SIZE_MAX; /* of the last word, if there were but blanks since */
    for (size_t i = 0; naming && i < naming->word_count; i++)
        size += naming->words[i].len;
    char *to = program_resize(program, NULL, size);
    for (size_t i = 0; name->bytes && i < name->len;) {
        const part_t *word = word_at(naming, name->own_begin + i);
        char c = (char)name->bytes[i];
        if (word && word->end <= name->own_end) {
            len = behind != SIZE_MAX ? behind : len;
            memcpy(to + len, word->text, word->len);
            behind = len += word->len;
            i = (size_t)(word->end - name->own_begin);
            i += i + 2 <= name->len && memcmp(name->bytes + i, "?=", 2) == 0 ? 2 : 0;
            continue;
        }
        bool is_pair = c == '\\' && i + 1 < name->len;
        if (c != '\r' && c != '\n')
            to[len++] = is_pair ? (char)name->bytes[i + 1] : c;
        behind = isspace((unsigned char)c) ? behind : SIZE_MAX;
        i += is_pair ? 2 : 1;
    }
    to[len] = '\0';
    return to;
}

/* RFC 2231, 3: by their numbers, in whatever order they come. */
static char *join_sections(const program_t *program, const naming_t *n)
{
    size_t len = 0;
    for (size_t i = 0; i < n->section_count; i++)
        len += n->sections[i].len;
    char *joined = program_resize(program, NULL, len + 1);
    len = 0;
    for (unsigned number = 0; number < 1000; number++)
        for (size_t i = 0; i < n->section_count; i++)
            if (n->sections[i].number == number) {
                memcpy(joined + len, n->sections[i].text, n->sections[i].len);
                len += n->sections[i].len;
            }
    char *name = to_utf8(program, n->section_charset, joined, len);
    free(joined);
    return name;
}

static void forget(naming_t *n)
{
    for (size_t i = 0; i < n->word_count; i++)
        free(n->words[i].text);
    for (size_t i = 0; i < n->section_count; i++)
        free(n->sections[i].text);
    n->word_count = n->section_count = 0;
    n->words[0] = (part_t){0};
    n->section_charset[0] = '\0';
}

char *naming_end(const program_t *program, naming_t *naming)
{
    if (!naming)
        return NULL;
    char *name = naming->section_count > 0 ? join_sections(program, naming) : NULL;
    forget(naming);
    return name;
}

void naming_free(naming_t *naming)
{
    if (naming)
        forget(naming);
    free(naming);
}
