/* A shared object that is no handler. */
int answer(void);
int answer(void) {
  return 42;
}
