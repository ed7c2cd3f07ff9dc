/* A parent in vfork, which no signal but SIGKILL reaches, and its child, which ignores the others.
 */
#include <signal.h>
#include <unistd.h>

int main(void) {
  for (int number = 1; number < 32; ++number) signal(number, SIG_IGN);
  if (vfork() == 0)
    for (;;) pause();
  return 0;
}
