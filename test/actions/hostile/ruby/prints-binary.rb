# Prints bytes that are no text, half a character, a terminal's control codes and what looks like OpenWhisk's end marker.
def main(args)
  STDOUT.syswrite("\x00\xff\xfe\xc3\x28\n".b)
  STDERR.syswrite("\x1b[2J\x1b]0;owned\x07\r\n")
  [STDOUT, STDERR].each { |stream| stream.syswrite("XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n") }
  STDOUT.syswrite("after the marker\n")
  STDOUT.syswrite("\xe2\x82".b)
  { answered: true }
end
