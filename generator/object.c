/* object.c: how large the sections of an object file are: ELF-64 Object File Format, Version 1.5. */
#include "object.h"

#include <elf.h>
#include <string.h>

/* Read-only data with addresses in it is in a section that is writable until the linker has filled them in. */
static bool is_constant(const Elf64_Shdr *section, const char *name)
{
    return !(section->sh_flags & SHF_WRITE) || strncmp(name, ".data.rel.ro", strlen(".data.rel.ro")) == 0;
}

static void add_section(const Elf64_Shdr *section, const char *name, object_sizes_t *sizes)
{
    if (!(section->sh_flags & SHF_ALLOC))
        return;
    if (section->sh_flags & SHF_EXECINSTR)
        sizes->code += section->sh_size;
    else if (is_constant(section, name))
        sizes->constant += section->sh_size;
    else
        sizes->variable += section->sh_size;
}

/* Does [offset, offset + len) lie in the file? */
static bool is_inside(const text_t *file, uint64_t offset, uint64_t len)
{
    return offset <= file->len && len <= file->len - offset;
}

static Elf64_Shdr section_at(const text_t *file, const Elf64_Ehdr *header, unsigned number)
{
    Elf64_Shdr section;

    memcpy(&section, file->bytes + header->e_shoff + number * sizeof section, sizeof section);
    return section;
}

/* The name of a section; "" if it does not lie in the section of names. */
static const char *name_of(const text_t *file, const Elf64_Shdr *names, const Elf64_Shdr *section)
{
    if (!is_inside(file, names->sh_offset, names->sh_size) || section->sh_name >= names->sh_size)
        return "";
    const char *name = file->bytes + names->sh_offset + section->sh_name;
    return memchr(name, '\0', (size_t)(names->sh_size - section->sh_name)) ? name : "";
}

const char *object_measure(const text_t *file, object_sizes_t *sizes)
{
    const uint16_t one = 1;
    const unsigned char order = *(const unsigned char *)&one ? ELFDATA2LSB : ELFDATA2MSB;
    Elf64_Ehdr header;

    *sizes = (object_sizes_t){0};
    if (file->len < sizeof header || memcmp(file->bytes, ELFMAG, SELFMAG) != 0)
        return "it is no ELF file";
    memcpy(&header, file->bytes, sizeof header);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != order)
        return "it is for another kind of machine";
    if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shstrndx >= header.e_shnum ||
        !is_inside(file, header.e_shoff, (uint64_t)header.e_shnum * sizeof(Elf64_Shdr)))
        return "its sections are not where it says";
    Elf64_Shdr names = section_at(file, &header, header.e_shstrndx);
    for (unsigned i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr section = section_at(file, &header, i);
        add_section(&section, name_of(file, &names, &section), sizes);
    }
    return NULL;
}
