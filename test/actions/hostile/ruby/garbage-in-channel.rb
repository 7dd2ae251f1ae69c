# Writes noise where the runtime answers.
def main(args)
  IO.for_fd(3, autoclose: false).syswrite("HTTP/1.1 200 OK\r\n\r\n{\"forged\":true}" * 50)
  { answered: true }
end
