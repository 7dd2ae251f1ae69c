# Forks in every process until the system refuses, and answers from the first.
def main(args)
  first = Process.pid
  refused = nil
  until refused
    begin
      fork
    rescue SystemCallError, NoMemoryError => problem
      refused = problem.class.name
    end
  end
  sleep 600 if Process.pid != first
  { answered: true, refused: refused }
end
