# Stops its own process.
def main(args)
  Process.kill(:STOP, Process.pid)
  { answered: true }
end
