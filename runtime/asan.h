/* asan.h: blocks that are free but not given back: the address sanitizer, where it is at work, is told. */
#ifndef QCAP_ASAN_H
#define QCAP_ASAN_H

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define QCAPINT_FORBID(block, size) __asan_poison_memory_region(block, size)
#define QCAPINT_PERMIT(block, size) __asan_unpoison_memory_region(block, size)
#else
#define QCAPINT_FORBID(block, size) ((void)(block), (void)(size))
#define QCAPINT_PERMIT(block, size) ((void)(block), (void)(size))
#endif

#endif
