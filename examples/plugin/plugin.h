/* What a plugin exports. */
#ifndef TORNO_EXAMPLES_PLUGIN_H
#define TORNO_EXAMPLES_PLUGIN_H

/* Does the plugin's work with the host's remaining arguments and returns a number. */
int plugin_run(int argc, char** argv);

typedef int (*plugin_run_function)(int argc, char** argv);

#endif
