# Kills its own process.
def main(args)
  Process.kill(args.fetch('signal', 'SIGKILL'), Process.pid)
  sleep 600
end
