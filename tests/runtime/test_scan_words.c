/* test_scan_words.c: test_scan.c for machines that have neither SSE2 nor NEON. */
#define QCAP_SCAN_WORDS
#include "test_scan.c"
