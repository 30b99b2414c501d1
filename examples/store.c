/* store.c: files, as many open as the system allows. */
#include "store.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#ifdef QCAP_HAVE_CRYPTO
#include <openssl/evp.h>
#endif
#ifdef QCAP_HAVE_MAGIC
#include <magic.h>
#endif

#define GAP_MAX 65536 /* zeroes that stand for one hole */

static _Noreturn void fail(const store_t *store, const char *path)
{
    fprintf(stderr, "%s: %s/%s: %s\n", store->program->name, store->folder, path, strerror(errno));
    exit(EXIT_FAILURE);
}

static void path_of(const store_t *store, const char *name, char *path, size_t size)
{
    if ((size_t)snprintf(path, size, "%s/%s", store->folder, name) < size)
        return;
    errno = ENAMETOOLONG;
    fail(store, name);
}

void store_open(store_t *store, const program_t *program, const char *folder)
{
    char path[4096];
    *store = (store_t){.program = program, .folder = folder};
    program_make_folder(program, folder);
    path_of(store, "manifest.json", path, sizeof path);
    store->manifest = fopen(path, "wx");
    if (!store->manifest)
        fail(store, "manifest.json");
#ifdef QCAP_HAVE_MAGIC
    store->magic = magic_open(MAGIC_MIME_TYPE);
    if (store->magic && magic_load(store->magic, NULL) != 0) {
        magic_close(store->magic);
        store->magic = NULL;
    }
#endif
}

void store_close(store_t *store)
{
    if (fclose(store->manifest) != 0)
        fail(store, "manifest.json");
#ifdef QCAP_HAVE_MAGIC
    if (store->magic)
        magic_close(store->magic);
#endif
}

/* ---------------------------------------------------------------- open files */

static void link_last(stored_t *stored)
{
    store_t *store = stored->store;
    stored->before = store->open_last;
    stored->behind = NULL;
    *(store->open_last ? &store->open_last->behind : &store->open_first) = stored;
    store->open_last = stored;
}

static void unlink_open(stored_t *stored)
{
    store_t *store = stored->store;
    *(stored->before ? &stored->before->behind : &store->open_first) = stored->behind;
    *(stored->behind ? &stored->behind->before : &store->open_last) = stored->before;
}

/* For now, or for good. */
static void close_file(stored_t *stored)
{
    if (!stored->file)
        return;
    unlink_open(stored);
    if (fclose(stored->file) != 0)
        fail(stored->store, stored->path);
    stored->file = NULL;
}

/* Ready to be written to, behind what it has. Another one is closed if there are too many. */
static void open_file(stored_t *stored)
{
    char path[4096];
    if (stored->file) {
        unlink_open(stored);
        link_last(stored);
        return;
    }
    const char *mode = *stored->path ? "ab" : "wbx";
    if (!*stored->path)
        snprintf(stored->path, sizeof stored->path, "%06" PRIu64, ++stored->store->count);
    path_of(stored->store, stored->path, path, sizeof path);
    while (!(stored->file = fopen(path, mode)) && (errno == EMFILE || errno == ENFILE) && stored->store->open_first)
        close_file(stored->store->open_first);
    if (!stored->file)
        fail(stored->store, stored->path);
    link_last(stored);
}

/* ---------------------------------------------------------------- writing */

stored_t *stored_new(store_t *store, const char *element)
{
    stored_t *stored = program_resize(store->program, NULL, sizeof *stored);
    memset(stored, 0, sizeof *stored);
    stored->store = store;
    stored->element = element;
#ifdef QCAP_HAVE_CRYPTO
    stored->hash = EVP_MD_CTX_new();
    if (stored->hash && EVP_DigestInit_ex(stored->hash, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(stored->hash);
        stored->hash = NULL;
    }
#endif
    return stored;
}

static void put(stored_t *stored, const unsigned char *bytes, size_t len)
{
    uint64_t at = stored->bytes + stored->missing;
    if (at < sizeof stored->head)
        memcpy(stored->head + at, bytes, len < sizeof stored->head - at ? len : sizeof stored->head - (size_t)at);
    if (fwrite(bytes, 1, len, stored->file) != len)
        fail(stored->store, stored->path);
#ifdef QCAP_HAVE_CRYPTO
    if (stored->hash)
        EVP_DigestUpdate(stored->hash, bytes, len);
#endif
}

void stored_write(stored_t *stored, const unsigned char *bytes, size_t len)
{
    if (len == 0)
        return;
    open_file(stored);
    put(stored, bytes, len);
    stored->bytes += len;
}

void stored_skip(stored_t *stored, uint64_t len)
{
    static const unsigned char zeroes[GAP_MAX];
    size_t some = len < GAP_MAX ? (size_t)len : GAP_MAX;
    if (len == 0)
        return;
    open_file(stored);
    put(stored, zeroes, some);
    stored->missing += len;
}

/* ---------------------------------------------------------------- names */

void store_text(char *to, size_t size, const unsigned char *text, size_t len)
{
    size_t some = len < size - 1 ? len : size - 1;
    memcpy(to, text, some);
    to[some] = '\0';
}

void store_name_of_target(char *to, size_t size, const unsigned char *target, size_t len)
{
    size_t end = 0, begin = 0;
    for (; end < len && target[end] != '?' && target[end] != '#'; end++)
        if (target[end] == '/')
            begin = end + 1;
    store_text(to, size, target + begin, end - begin);
}

/* A word in a text, in any case; NULL if it is not there. */
static const char *find_word(const char *text, const char *word)
{
    for (; *text; text++)
        if (strncasecmp(text, word, strlen(word)) == 0)
            return text;
    return NULL;
}

/* The value of `filename` (RFC 6266, 4.1). The extended form (RFC 8187) counts for more. */
bool store_name_of_disposition(char *to, size_t size, const unsigned char *disposition, size_t disposition_len)
{
    char text[STORE_TEXT_SIZE * 3];
    store_text(text, sizeof text, disposition, disposition_len);
    const char *plain = find_word(text, "filename="), *extended = find_word(text, "filename*=");
    const char *from = extended ? extended + strlen("filename*=") : plain ? plain + strlen("filename=") : NULL;
    size_t len = 0;
    if (!from)
        return false;
    if (extended) /* charset'language'value */
        for (int quotes = 0; *from && quotes < 2; from++)
            quotes += *from == '\'';
    bool is_quoted = *from == '"';
    for (from += is_quoted; *from && len + 1 < size; from++) {
        if (is_quoted ? *from == '"' : *from == ';' || *from == ' ')
            break;
        if (is_quoted && *from == '\\' && from[1])
            from++;
        if (extended && *from == '%' && hex_value((unsigned char)from[1]) >= 0 && hex_value((unsigned char)from[2]) >= 0) {
            to[len++] = (char)(hex_value((unsigned char)from[1]) * 16 + hex_value((unsigned char)from[2]));
            from += 2;
        } else {
            to[len++] = *from;
        }
    }
    to[len] = '\0';
    return true;
}

/* What may stand in a name anywhere, and means nothing to a shell. */
static bool is_safe(unsigned char c)
{
    return c < 0x80 && (isalnum(c) || c == '.' || c == '-' || c == '_');
}

/* NUMBER, and the last part of the name with nothing in it that could do harm. */
static void make_name(const stored_t *stored, char *name, size_t size)
{
    const char *last = stored->name;
    for (const char *at = stored->name; *at; at++)
        if (*at == '/' || *at == '\\')
            last = at + 1;
    size_t begin = (size_t)snprintf(name, size, "%s-", stored->path), len = begin;
    bool was_safe = false;
    for (; *last && len + 1 < size; last++) {
        bool is_dot = *last == '.' && len == begin; /* no name that begins with one */
        bool is_taken = is_safe((unsigned char)*last) && !is_dot;
        if (is_taken)
            name[len++] = *last;
        else if (was_safe)
            name[len++] = '_';
        was_safe = is_taken;
    }
    name[len > begin ? len : begin - 1] = '\0';
}

static void rename_file(const stored_t *stored, const char *name)
{
    char from[4096], to[4096];
    path_of(stored->store, stored->path, from, sizeof from);
    path_of(stored->store, name, to, sizeof to);
    if (strcmp(from, to) == 0)
        return;
    errno = EEXIST; /* nothing is overwritten */
    if (access(to, F_OK) == 0 || rename(from, to) != 0)
        fail(stored->store, name);
}

/* ---------------------------------------------------------------- the manifest */

/* A member of the line, unless the text is empty. */
static void print_member(FILE *file, const char *name, const char *text)
{
    if (!*text)
        return;
    fprintf(file, ",\"%s\":", name);
    print_json_to(file, (const unsigned char *)text, strlen(text));
}

static void print_hash(const stored_t *stored)
{
#ifdef QCAP_HAVE_CRYPTO
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!stored->hash || EVP_DigestFinal_ex(stored->hash, sum, &len) != 1)
        return;
    fputs(",\"sha256\":\"", stored->store->manifest);
    for (unsigned i = 0; i < len; i++)
        fprintf(stored->store->manifest, "%02x", (unsigned)sum[i]);
    putc('"', stored->store->manifest);
#else
    (void)stored;
#endif
}

static const char *type_of(const stored_t *stored)
{
    const char *type = NULL;
#ifdef QCAP_HAVE_MAGIC
    uint64_t len = stored->bytes + stored->missing;
    if (stored->store->magic)
        type = magic_buffer(stored->store->magic, stored->head, len < sizeof stored->head ? (size_t)len : sizeof stored->head);
#else
    (void)stored;
#endif
    return type ? type : "";
}

static void print_line(const stored_t *stored, const char *name)
{
    FILE *manifest = stored->store->manifest;
    fprintf(manifest, "{\"file\":\"%s\",\"bytes\":%" PRIu64, name, stored->bytes);
    if (stored->missing > 0)
        fprintf(manifest, ",\"missing\":%" PRIu64, stored->missing);
    fprintf(manifest, ",\"complete\":%s", stored->missing == 0 && !stored->is_cut ? "true" : "false");
    print_hash(stored);
    print_member(manifest, "type", type_of(stored));
    print_member(manifest, "declared", stored->type);
    print_member(manifest, "name", stored->name);
    fprintf(manifest, ",\"element\":\"%s\",%s,\"direction\":\"%s\",\"offset\":%" PRIu64 ",\"time\":" TIME_FORMAT "}\n",
            stored->element, stored->flow, stored->is_server ? "server" : "client", stored->offset, TIME_VALUES(stored->time_ns));
}

void stored_finish(stored_t *stored)
{
    char name[STORE_NAME_SIZE];
    close_file(stored);
    if (stored->bytes + stored->missing > 0) {
        make_name(stored, name, sizeof name);
        rename_file(stored, name);
        print_line(stored, name);
    }
#ifdef QCAP_HAVE_CRYPTO
    EVP_MD_CTX_free(stored->hash);
#endif
    free(stored);
}
