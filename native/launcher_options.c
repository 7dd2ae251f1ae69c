/* The launcher's command line: what the container is to be. The options are described in launcher.c. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned long number(const char *option, const char *text)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end)
		fail(errno, "option %s", option);
	return value;
}

static void add_pair(struct list *list, const char *option, char *text)
{
	char *colon = strchr(text, ':');

	if (!colon || list->count == MAX_LIST)
		fail(colon ? E2BIG : 0, "option %s", option);
	*colon = '\0';
	list->at[list->count++] = (struct pair){ text, colon + 1 };
}

/* Opened here, where the host's paths still exist; used after they are gone. */
static void add_join(struct spec *spec, const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || spec->join_count == MAX_JOINS)
		fail(fd < 0 ? errno : E2BIG, "open %s", path);
	spec->joins[spec->join_count++] = fd;
}

static void read_filter(struct spec *spec, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		fail(errno, "open filter");
	length = read(fd, spec->filter, sizeof(spec->filter));
	close(fd);
	if (length <= 0 || length % (ssize_t)sizeof(spec->filter[0]))
		fail(length < 0 ? errno : 0, "read filter");
	spec->program.len = (unsigned short)((size_t)length / sizeof(spec->filter[0]));
	spec->program.filter = spec->filter;
}

static void add_environment(struct spec *spec, char *variable)
{
	if (!strchr(variable, '=') || spec->environment_count == MAX_LIST - 1)
		fail(0, "option --env");
	spec->environment[spec->environment_count++] = variable;
}

enum option_code {
	OPTION_RO_BIND = 256,
	OPTION_LINK,
	OPTION_FILE,
	OPTION_SCRATCH_MB,
	OPTION_SCRATCH_INODES,
	OPTION_JOIN,
	OPTION_FILTER,
	OPTION_NET,
	OPTION_UID,
	OPTION_GID,
	OPTION_HOSTNAME,
	OPTION_NOFILE,
	OPTION_OOM_SCORE,
	OPTION_CWD,
	OPTION_ENV,
	OPTION_WAIT,
	OPTION_EMBRYO,
};

static const struct option options[] = {
	{ "ro-bind", required_argument, NULL, OPTION_RO_BIND },
	{ "link", required_argument, NULL, OPTION_LINK },
	{ "file", required_argument, NULL, OPTION_FILE },
	{ "scratch-mb", required_argument, NULL, OPTION_SCRATCH_MB },
	{ "scratch-inodes", required_argument, NULL, OPTION_SCRATCH_INODES },
	{ "join", required_argument, NULL, OPTION_JOIN },
	{ "filter", required_argument, NULL, OPTION_FILTER },
	{ "net", required_argument, NULL, OPTION_NET },
	{ "uid", required_argument, NULL, OPTION_UID },
	{ "gid", required_argument, NULL, OPTION_GID },
	{ "hostname", required_argument, NULL, OPTION_HOSTNAME },
	{ "nofile", required_argument, NULL, OPTION_NOFILE },
	{ "oom-score", required_argument, NULL, OPTION_OOM_SCORE },
	{ "cwd", required_argument, NULL, OPTION_CWD },
	{ "env", required_argument, NULL, OPTION_ENV },
	{ "wait", no_argument, NULL, OPTION_WAIT },
	{ "embryo", no_argument, NULL, OPTION_EMBRYO },
	{ NULL, 0, NULL, 0 },
};

static void take_option(struct spec *spec, int code, const char *name)
{
	switch (code) {
	case OPTION_RO_BIND:
		return add_pair(&spec->binds, name, optarg);
	case OPTION_LINK:
		return add_pair(&spec->links, name, optarg);
	case OPTION_FILE:
		return add_pair(&spec->files, name, optarg);
	case OPTION_JOIN:
		return add_join(spec, optarg);
	case OPTION_FILTER:
		return read_filter(spec, optarg);
	case OPTION_ENV:
		return add_environment(spec, optarg);
	case OPTION_SCRATCH_MB:
		spec->scratch_mb = number(name, optarg);
		return;
	case OPTION_SCRATCH_INODES:
		spec->scratch_inodes = number(name, optarg);
		return;
	case OPTION_UID:
		spec->uid = number(name, optarg);
		return;
	case OPTION_GID:
		spec->gid = number(name, optarg);
		return;
	case OPTION_NOFILE:
		spec->nofile = number(name, optarg);
		return;
	case OPTION_OOM_SCORE:
		spec->oom_score = number(name, optarg);
		return;
	case OPTION_WAIT:
		spec->waits = true;
		return;
	case OPTION_NET:
		spec->network = optarg;
		return;
	case OPTION_EMBRYO:
		spec->is_embryo = true;
		return;
	case OPTION_HOSTNAME:
		spec->hostname = optarg;
		return;
	case OPTION_CWD:
		spec->cwd = optarg;
		return;
	default:
		fail(0, "option %s", optarg ? optarg : "unknown");
	}
}

void parse_options(int argc, char **argv, struct spec *spec)
{
	int code, index = 0;

	opterr = 0;
	while ((code = getopt_long(argc, argv, "", options, &index)) != -1)
		take_option(spec, code, code < 256 ? "unknown" : options[index].name);
	spec->command = argv + optind;
	if (optind == argc || !spec->uid || !spec->gid || !spec->scratch_mb || !spec->scratch_inodes || !spec->nofile ||
	    !spec->hostname || !spec->cwd || !spec->network || !spec->program.len)
		fail(0, "options: one is missing");
}
