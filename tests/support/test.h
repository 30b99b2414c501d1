/* test.h: what every cmocka program needs, once and in the order cmocka.h asks for. */
#ifndef QCAP_TEST_H
#define QCAP_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
